//! The macros of `moongate-sdk`; they are documented and re-exported there.

mod config;
mod export;

use proc_macro::TokenStream;

/// Makes a struct or enum usable as a plugin's configuration.
///
/// Derives `Deserialize` and `JsonSchema`, refuses unknown fields, and needs no other dependency than
/// `moongate-sdk`. Doc comments become descriptions in the schema; serde's attributes (`default`, `rename` ...)
/// work as usual. A struct of one field without a name stands for that field.
#[proc_macro_attribute]
pub fn config(attributes: TokenStream, item: TokenStream) -> TokenStream {
    config::expand(attributes.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a component of a plugin: `export!(MyPlugin: OnRequest, OnResponse, Admin);` with those hooks that it
/// implements.
///
/// The component exports just these hooks, so the gateway never calls in vain.
#[proc_macro]
pub fn export(input: TokenStream) -> TokenStream {
    export::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
