//! `export!`.
//!
//! The contract's text is part of this crate, so a plugin needs no WIT files of its own: the macro writes a
//! world that exports the chosen hooks and lets wit-bindgen make the bindings for it in the plugin's crate. The
//! imported interfaces are mapped to the bindings inside `moongate-sdk`, which gives both sides the same types.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Result, Token, Type, TypePath};

struct Export {
    plugin: TypePath,
    hooks: Punctuated<Ident, Token![,]>,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::new(input.span(), USAGE));
        }
        let plugin = match input.parse()? {
            Type::Path(plugin) => plugin,
            other => return Err(Error::new_spanned(other, USAGE)),
        };
        if !input.peek(Token![:]) {
            return Err(Error::new(input.span(), USAGE));
        }
        input.parse::<Token![:]>()?;
        let hooks = Punctuated::parse_terminated(input)?;
        if hooks.is_empty() {
            return Err(Error::new(input.span(), USAGE));
        }
        Ok(Self { plugin, hooks })
    }
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Export { plugin, hooks } = syn::parse2(input)?;
    if plugin.path.segments.iter().any(|segment| !segment.arguments.is_none()) {
        let name = plugin.to_token_stream().to_string().replace(' ', "");
        let message = format!(
            "a component is made of one type, and `{name}` has arguments: write `type MyPlugin = {name};` and export \
             `MyPlugin`"
        );
        return Err(Error::new_spanned(plugin, message));
    }
    let mut exports = Exports::default();
    for hook in &hooks {
        let seen = match hook.to_string().as_str() {
            "OnRequest" => &mut exports.request,
            "OnResponse" => &mut exports.response,
            "Admin" => &mut exports.admin,
            other => {
                let message =
                    format!("`{other}` is no hook: there are `OnRequest`, `OnResponse` and `Admin`");
                return Err(Error::new(hook.span(), message));
            }
        };
        if std::mem::replace(seen, true) {
            return Err(Error::new(hook.span(), format!("`{hook}` is named twice: name each hook once")));
        }
    }

    let world = exports.world();
    let implementations = exports.implementations();
    let admin_routes =
        if exports.admin { quote!(<Exported as ::moongate_sdk::Admin>::ROUTES) } else { quote!(&[]) };
    let bounds = hooks.iter();

    Ok(quote! {
        const _: () = {
            const fn implements<P: ::moongate_sdk::Plugin #(+ ::moongate_sdk::#bounds)*>() {}
            implements::<#plugin>();
        };

        #[cfg(target_family = "wasm")]
        type MoongateExport = #plugin;

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, clippy::restriction, reason = "generated")]
        mod moongate_component {
            // Only this name comes in: any other that the plugin's module has could mean something else here.
            use super::MoongateExport as Exported;

            ::moongate_sdk::export::wit_bindgen::generate!({
                inline: #world,
                world: "component",
                export_macro_name: "export_component",
                runtime_path: "::moongate_sdk::export::wit_bindgen::rt",
                generate_unused_types: true,
                with: {
                    "moongate:plugin/http@0.1.0": ::moongate_sdk::bindings::moongate::plugin::http,
                    "moongate:plugin/log@0.1.0": ::moongate_sdk::bindings::moongate::plugin::log,
                    "moongate:plugin/context@0.1.0": ::moongate_sdk::bindings::moongate::plugin::context,
                },
            });

            use exports::moongate::plugin as hooks;
            use hooks::lifecycle;

            struct Component;
            struct Configured(Exported);

            impl lifecycle::Guest for Component {
                type Plugin = Configured;

                fn describe() -> lifecycle::Manifest {
                    let routes: &[::moongate_sdk::AdminRoute] = #admin_routes;
                    lifecycle::Manifest {
                        name: <Exported as ::moongate_sdk::Plugin>::NAME.unwrap_or(env!("CARGO_PKG_NAME")).to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        priority: <Exported as ::moongate_sdk::Plugin>::PRIORITY,
                        schema: lifecycle::ConfigSchema::JsonSchema(::moongate_sdk::export::schema::<Exported>()),
                        admin_routes: routes
                            .iter()
                            .map(|route| lifecycle::AdminRoute {
                                method: route.method.to_owned(),
                                path: route.path.to_owned(),
                            })
                            .collect(),
                    }
                }
            }

            impl lifecycle::GuestPlugin for Configured {
                fn configure(config: String) -> Result<lifecycle::Plugin, Vec<lifecycle::Problem>> {
                    match ::moongate_sdk::export::configure::<Exported>(&config) {
                        Ok(plugin) => Ok(lifecycle::Plugin::new(Configured(plugin))),
                        Err(problems) => Err(problems
                            .into_iter()
                            .map(|problem| lifecycle::Problem { path: problem.path, message: problem.message })
                            .collect()),
                    }
                }
            }

            #implementations

            export_component!(Component);
        }
    })
}

#[derive(Default)]
struct Exports {
    request: bool,
    response: bool,
    admin: bool,
}

impl Exports {
    /// A world with just these exports, followed by the package that it refers to.
    fn world(&self) -> String {
        let mut world = String::from(
            "package moongate:component;\nworld component {\n\
             include moongate:plugin/imports@0.1.0;\nexport moongate:plugin/lifecycle@0.1.0;\n",
        );
        for (exported, interface) in
            [(self.request, "request-hook"), (self.response, "response-hook"), (self.admin, "admin-hook")]
        {
            if exported {
                world += &format!("export moongate:plugin/{interface}@0.1.0;\n");
            }
        }
        world += "}\npackage moongate:plugin@0.1.0 {\n";
        for file in CONTRACT {
            world += file.split_once("package moongate:plugin@0.1.0;").map_or(file, |(_, rest)| rest);
        }
        world + "}\n"
    }

    fn implementations(&self) -> TokenStream {
        let mut code = TokenStream::new();
        if self.request {
            code.extend(quote! {
                impl hooks::request_hook::Guest for Component {
                    fn on_request(
                        config: lifecycle::PluginBorrow<'_>,
                        request: &::moongate_sdk::bindings::moongate::plugin::http::Request,
                    ) -> Result<hooks::request_hook::Decision, String> {
                        let plugin = &config.get::<Configured>().0;
                        let request = ::moongate_sdk::Request::from_raw(request);
                        match ::moongate_sdk::OnRequest::on_request(plugin, &request) {
                            Ok(::moongate_sdk::Decision::Continue) => Ok(hooks::request_hook::Decision::Continue),
                            Ok(::moongate_sdk::Decision::Respond(reply)) => {
                                Ok(hooks::request_hook::Decision::Respond(reply.into()))
                            }
                            Err(error) => Err(error.message().to_owned()),
                        }
                    }
                }
            });
        }
        if self.response {
            code.extend(quote! {
                impl hooks::response_hook::Guest for Component {
                    fn on_response(
                        config: lifecycle::PluginBorrow<'_>,
                        response: &::moongate_sdk::bindings::moongate::plugin::http::Response,
                    ) -> Result<(), String> {
                        let plugin = &config.get::<Configured>().0;
                        let response = ::moongate_sdk::Response::from_raw(response);
                        ::moongate_sdk::OnResponse::on_response(plugin, &response)
                            .map_err(|error| error.message().to_owned())
                    }
                }
            });
        }
        if self.admin {
            code.extend(quote! {
                impl hooks::admin_hook::Guest for Component {
                    fn on_admin(
                        request: hooks::admin_hook::AdminRequest,
                    ) -> Result<::moongate_sdk::bindings::moongate::plugin::http::Reply, String> {
                        let request = ::moongate_sdk::AdminRequest {
                            method: request.method,
                            path: request.path,
                            query: request.query,
                            headers: request.headers.into_iter().map(|h| (h.name, h.value)).collect(),
                            body: request.body,
                        };
                        <Exported as ::moongate_sdk::Admin>::on_admin(&request)
                            .map(Into::into)
                            .map_err(|error| error.message().to_owned())
                    }
                }
            });
        }
        code
    }
}

const USAGE: &str =
    "name the plugin's type and its hooks, as in `export!(MyPlugin: OnRequest, OnResponse, Admin)`";

/// The files of the contract, of which the first names the package.
const CONTRACT: [&str; 6] = [
    include_str!("../../../wit/world.wit"),
    include_str!("../../../wit/lifecycle.wit"),
    include_str!("../../../wit/hooks.wit"),
    include_str!("../../../wit/http.wit"),
    include_str!("../../../wit/log.wit"),
    include_str!("../../../wit/context.wit"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: TokenStream) -> String {
        expand(input).unwrap_err().to_string()
    }

    #[test]
    fn the_world_exports_just_the_hooks_that_are_named() {
        let world = Exports { request: true, ..Exports::default() }.world();
        let (component, contract) = world.split_once("package moongate:plugin@0.1.0 {").unwrap();
        assert!(component.contains("export moongate:plugin/lifecycle@0.1.0;"));
        assert!(component.contains("export moongate:plugin/request-hook@0.1.0;"));
        assert!(!component.contains("response-hook") && !component.contains("admin-hook"));
        assert!(contract.contains("interface http {") && !contract.contains("package "));
    }

    #[test]
    fn a_plugin_without_hooks_is_refused_with_the_way_to_write_it() {
        for input in [quote!(), quote!(A), quote!(A:), quote!(&A: OnRequest), quote!((A, B): OnRequest)] {
            assert_eq!(refusal(input.clone()), USAGE, "{input}");
        }
    }

    #[test]
    fn a_plugin_with_arguments_is_refused_by_name() {
        for input in [quote!(A<B>: OnRequest), quote!(a::A<'static>: OnRequest)] {
            assert!(refusal(input.clone()).contains("write `type MyPlugin = "), "{input}");
        }
    }

    #[test]
    fn hooks_are_those_that_there_are_and_each_once() {
        assert!(refusal(quote!(A: OnRequests)).starts_with("`OnRequests` is no hook"));
        assert!(refusal(quote!(A: OnRequest, OnRequest)).starts_with("`OnRequest` is named twice"));
        assert!(expand(quote!(crate::A: OnRequest, OnResponse, Admin,)).is_ok());
    }
}
