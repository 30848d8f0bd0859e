//! `export!`.
//!
//! The contract's text is part of this crate, so a plugin needs no WIT files of its own: the macro writes a
//! world that exports the chosen hooks and lets wit-bindgen make the bindings for it in the plugin's crate. The
//! imported interfaces are mapped to the bindings inside `moongate-sdk`, which gives both sides the same types.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Result, Token, Type};

struct Export {
    plugin: Type,
    hooks: Punctuated<Ident, Token![,]>,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let plugin = input.parse()?;
        let hooks = if input.peek(Token![:]) {
            input.parse::<Token![:]>()?;
            Punctuated::parse_terminated(input)?
        } else {
            Punctuated::new()
        };
        Ok(Self { plugin, hooks })
    }
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Export { plugin, hooks } = syn::parse2(input)?;
    let mut exports = Exports::default();
    for hook in &hooks {
        let seen = match hook.to_string().as_str() {
            "OnRequest" => &mut exports.request,
            "OnResponse" => &mut exports.response,
            "Admin" => &mut exports.admin,
            _ => return Err(syn::Error::new(hook.span(), "not a hook; there are OnRequest, OnResponse and Admin")),
        };
        if std::mem::replace(seen, true) {
            return Err(syn::Error::new(hook.span(), "named twice"));
        }
    }

    let world = exports.world();
    let implementations = exports.implementations(&plugin);
    let admin_routes =
        if exports.admin { quote!(<#plugin as ::moongate_sdk::Admin>::ROUTES) } else { quote!(&[]) };
    let bounds = hooks.iter();

    Ok(quote! {
        const _: () = {
            const fn implements<P: ::moongate_sdk::Plugin #(+ ::moongate_sdk::#bounds)*>() {}
            implements::<#plugin>();
        };

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, unreachable_pub, missing_docs, clippy::all, clippy::restriction, reason = "generated")]
        mod moongate_component {
            use super::*;

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
            struct Configured(#plugin);

            impl lifecycle::Guest for Component {
                type Plugin = Configured;

                fn describe() -> lifecycle::Manifest {
                    let routes: &[::moongate_sdk::AdminRoute] = #admin_routes;
                    lifecycle::Manifest {
                        name: <#plugin as ::moongate_sdk::Plugin>::NAME.unwrap_or(env!("CARGO_PKG_NAME")).to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        priority: <#plugin as ::moongate_sdk::Plugin>::PRIORITY,
                        schema: lifecycle::ConfigSchema::JsonSchema(::moongate_sdk::export::schema::<#plugin>()),
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
                    match ::moongate_sdk::export::configure::<#plugin>(&config) {
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

    fn implementations(&self, plugin: &Type) -> TokenStream {
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
                        <#plugin as ::moongate_sdk::Admin>::on_admin(&request)
                            .map(Into::into)
                            .map_err(|error| error.message().to_owned())
                    }
                }
            });
        }
        code
    }
}

/// The files of the contract, of which the first names the package.
const CONTRACT: [&str; 6] = [
    include_str!("../../../wit/world.wit"),
    include_str!("../../../wit/lifecycle.wit"),
    include_str!("../../../wit/hooks.wit"),
    include_str!("../../../wit/http.wit"),
    include_str!("../../../wit/log.wit"),
    include_str!("../../../wit/context.wit"),
];
