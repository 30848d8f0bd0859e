//! `#[config]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attributes.is_empty() {
        return Err(syn::Error::new_spanned(attributes, "#[config] takes no arguments"));
    }
    let item: DeriveInput = syn::parse2(item)?;
    let strict = match &item.data {
        syn::Data::Struct(data) if matches!(data.fields, syn::Fields::Named(_)) => {
            quote!(#[serde(deny_unknown_fields)])
        }
        _ => TokenStream::new(),
    };
    Ok(quote! {
        #[derive(::moongate_sdk::serde::Deserialize, ::moongate_sdk::schemars::JsonSchema)]
        #[serde(crate = "::moongate_sdk::serde")]
        #[schemars(crate = "::moongate_sdk::schemars")]
        #strict
        #item
    })
}
