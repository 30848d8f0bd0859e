//! `#[config]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parse as _;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Fields, Item, Result, Token};

pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attributes.is_empty() {
        return Err(Error::new_spanned(
            attributes,
            "`#[config]` takes no arguments: write it without parentheses",
        ));
    }
    let item: DeriveInput = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            // What is no struct, enum or union gets told so; a typing error in one keeps its own message.
            return Err(match syn::parse2::<Item>(item.clone()) {
                Ok(_) => Error::new_spanned(item, "`#[config]` goes on a struct or an enum"),
                Err(_) => error,
            });
        }
    };
    check(&item)?;
    let strict = if has_named_fields(&item.data) && !has_serde(&item.attrs, "deny_unknown_fields")? {
        quote!(#[serde(deny_unknown_fields)])
    } else {
        TokenStream::new()
    };
    Ok(quote! {
        #[derive(::moongate_sdk::serde::Deserialize, ::moongate_sdk::schemars::JsonSchema)]
        #[serde(crate = "::moongate_sdk::serde")]
        #[schemars(crate = "::moongate_sdk::schemars")]
        #strict
        #item
    })
}

/// Refuses what would compile to something surprising, or fail in generated code.
fn check(item: &DeriveInput) -> Result<()> {
    let name = &item.ident;
    if !item.generics.params.is_empty() {
        let message = format!(
            "`{name}` is generic, but a configuration has one schema: write the types of its fields out, and `String` \
             for a borrowed text"
        );
        return Err(Error::new_spanned(&item.generics, message));
    }
    match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(_) => Ok(()),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(()),
            Fields::Unnamed(fields) => {
                let message = format!(
                    "the fields of `{name}` have no names, so its configuration would be a list: name them, \
                     `struct {name} {{ first: ..., second: ... }}`"
                );
                Err(Error::new_spanned(fields, message))
            }
            Fields::Unit => {
                let message =
                    format!("`{name}` would be configured by `null`: write `struct {name} {{}}` for an empty object");
                Err(Error::new_spanned(name, message))
            }
        },
        Data::Enum(data) if data.variants.is_empty() => {
            let message = format!("`{name}` has no variants, so no configuration would fit it: add one");
            Err(Error::new_spanned(name, message))
        }
        Data::Enum(data) => data.variants.iter().try_for_each(|variant| match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() != 1 => {
                let variant = &variant.ident;
                let message = format!(
                    "the fields of `{name}::{variant}` have no names, so its configuration would be a list: name them, \
                     `{variant} {{ first: ..., second: ... }}`"
                );
                Err(Error::new_spanned(fields, message))
            }
            _ => Ok(()),
        }),
        Data::Union(_) => {
            let message = format!("`{name}` is a union, which no configuration can be: make it an enum");
            Err(Error::new_spanned(name, message))
        }
    }
}

fn has_named_fields(data: &Data) -> bool {
    match data {
        Data::Struct(data) => matches!(data.fields, Fields::Named(_)),
        Data::Enum(data) => data.variants.iter().any(|variant| matches!(variant.fields, Fields::Named(_))),
        Data::Union(_) => false,
    }
}

/// Whether there is `#[serde(<word>)]` already, which must not be there twice.
fn has_serde(attributes: &[Attribute], word: &str) -> Result<bool> {
    let word = format_ident!("{word}");
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident(&word);
            if meta.input.peek(Token![=]) {
                Expr::parse(meta.value()?)?;
            } else if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                TokenStream::parse(&content)?;
            }
            Ok(())
        })?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: TokenStream) -> String {
        expand(TokenStream::new(), item).unwrap().to_string()
    }

    fn refusal(item: TokenStream) -> String {
        expand(TokenStream::new(), item).unwrap_err().to_string()
    }

    #[test]
    fn named_fields_are_strict_wherever_they_are() {
        let strict = "deny_unknown_fields";
        assert!(
            expanded(quote!(
                struct A {
                    a: u8,
                }
            ))
            .contains(strict)
        );
        assert!(
            expanded(quote!(
                struct A {}
            ))
            .contains(strict)
        );
        assert!(
            expanded(quote!(
                enum A {
                    B { c: u8 },
                    D,
                }
            ))
            .contains(strict)
        );
        assert!(
            !expanded(quote!(
                enum A {
                    B,
                    C(u8),
                }
            ))
            .contains(strict)
        );
        assert!(
            !expanded(quote!(
                struct A(u8);
            ))
            .contains(strict)
        );
    }

    #[test]
    fn strictness_that_is_there_already_is_not_added() {
        let attributes =
            quote!(#[serde(rename_all(deserialize = "kebab-case"), default = "a", deny_unknown_fields)]);
        let code = expanded(quote!(#attributes struct A { a: u8 }));
        assert_eq!(code.matches("deny_unknown_fields").count(), 1, "{code}");
    }

    #[test]
    fn generics_are_refused_by_name() {
        assert!(
            refusal(quote!(
                struct A<T> {
                    t: T,
                }
            ))
            .starts_with("`A` is generic")
        );
        assert!(
            refusal(quote!(
                enum A<'a> {
                    B(&'a str),
                }
            ))
            .starts_with("`A` is generic")
        );
    }

    #[test]
    fn fields_without_names_are_refused_with_the_mend() {
        assert!(
            refusal(quote!(
                struct A(u8, u8);
            ))
            .contains("`struct A { first: ..., second: ... }`")
        );
        assert!(
            refusal(quote!(
                enum A {
                    B(u8, u8),
                }
            ))
            .contains("`A::B`")
        );
        assert!(
            refusal(quote!(
                struct A();
            ))
            .contains("`A`")
        );
    }

    #[test]
    fn what_no_configuration_fits_is_refused_with_the_mend() {
        assert!(
            refusal(quote!(
                struct A;
            ))
            .contains("write `struct A {}`")
        );
        assert!(
            refusal(quote!(
                enum A {}
            ))
            .contains("`A` has no variants")
        );
        assert!(refusal(quote!(union A { a: u8 })).contains("make it an enum"));
        assert!(
            refusal(quote!(
                fn a() {}
            ))
            .contains("goes on a struct or an enum")
        );
    }

    #[test]
    fn arguments_are_refused() {
        let error = expand(
            quote!(strict),
            quote!(
                struct A {}
            ),
        )
        .unwrap_err();
        assert!(error.to_string().contains("takes no arguments"), "{error}");
    }
}
