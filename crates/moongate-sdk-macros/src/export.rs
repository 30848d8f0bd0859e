//! `export!`.
//!
//! The contract's text is part of this crate, so a plugin needs no WIT files of its own: the macro writes a
//! world that exports the chosen hooks and lets wit-bindgen make the bindings for it in the plugin's crate. The
//! imported interfaces are mapped to the bindings inside `moongate-sdk`, which gives both sides the same types.

mod hooks;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, Result, Token, Type, TypePath};

use self::hooks::implementation;

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
    let mut exports = Vec::new();
    for name in &hooks {
        let Some(hook) = HOOKS.into_iter().find(|hook| name == hook.name()) else {
            let message = format!("`{name}` is no hook: there are {}", listed());
            return Err(Error::new(name.span(), message));
        };
        if exports.contains(&hook) {
            return Err(Error::new(name.span(), format!("`{name}` is named twice: name each hook once")));
        }
        exports.push(hook);
    }
    let exports = Exports(exports);

    let world = exports.world();
    let implementations = exports.implementations();
    let mappings = mappings();
    let admin_routes = if exports.has(Hook::Admin) {
        quote!(<Exported as ::moongate_sdk::Admin>::ROUTES)
    } else {
        quote!(&[])
    };
    let timer_interval = if exports.has(Hook::Timer) {
        quote!(u32::try_from(<Exported as ::moongate_sdk::OnTimer>::INTERVAL.as_millis()).unwrap_or(u32::MAX))
    } else {
        quote!(0)
    };
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
                    #mappings
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
                        schema: match <Exported as ::moongate_sdk::Plugin>::schema() {
                            ::moongate_sdk::Schema::Json(text) => lifecycle::ConfigSchema::JsonSchema(text),
                            ::moongate_sdk::Schema::Native(text) => lifecycle::ConfigSchema::Native(text),
                        },
                        admin_routes: routes
                            .iter()
                            .map(|route| lifecycle::AdminRoute {
                                method: route.method.to_owned(),
                                path: route.path.to_owned(),
                                status: route.status,
                            })
                            .collect(),
                        entities: <Exported as ::moongate_sdk::Plugin>::ENTITIES
                            .iter()
                            .map(|schema| (*schema).to_owned())
                            .collect(),
                        timer_interval: #timer_interval,
                    }
                }
            }

            impl lifecycle::GuestPlugin for Configured {
                fn configure(config: String) -> Result<lifecycle::Plugin, Vec<lifecycle::Problem>> {
                    match ::moongate_sdk::export::configure::<Exported>(&config) {
                        Ok(plugin) => Ok(lifecycle::Plugin::new(Configured(plugin))),
                        Err(problems) => Err(lower(problems)),
                    }
                }
            }

            fn lower(problems: Vec<::moongate_sdk::Problem>) -> Vec<lifecycle::Problem> {
                let lower = |problem: ::moongate_sdk::Problem| lifecycle::Problem {
                    path: problem.path,
                    message: problem.message,
                };
                problems.into_iter().map(lower).collect()
            }

            #implementations

            export_component!(Component);
        }
    })
}

/// The hooks of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hook {
    EarlyRequest,
    Request,
    Response,
    ResponseBody,
    Log,
    Timer,
    Admin,
    EntityWrite,
}

impl Hook {
    /// Name of the trait.
    fn name(self) -> &'static str {
        match self {
            Self::EarlyRequest => "OnEarlyRequest",
            Self::Request => "OnRequest",
            Self::Response => "OnResponse",
            Self::ResponseBody => "OnResponseBody",
            Self::Log => "OnLog",
            Self::Timer => "OnTimer",
            Self::Admin => "Admin",
            Self::EntityWrite => "OnEntityWrite",
        }
    }

    /// Name of the interface.
    fn interface(self) -> &'static str {
        match self {
            Self::EarlyRequest => "early-request-hook",
            Self::Request => "request-hook",
            Self::Response => "response-hook",
            Self::ResponseBody => "response-body-hook",
            Self::Log => "log-hook",
            Self::Timer => "timer-hook",
            Self::Admin => "admin-hook",
            Self::EntityWrite => "entity-hook",
        }
    }
}

fn listed() -> String {
    let mut names: Vec<_> = HOOKS.iter().map(|hook| format!("`{}`", hook.name())).collect();
    let last = names.pop().unwrap_or_default();
    format!("{} and {last}", names.join(", "))
}

/// The bindings inside `moongate-sdk` for each interface that may be imported.
fn mappings() -> TokenStream {
    IMPORTS
        .iter()
        .map(|interface| {
            let name = format!("moongate:plugin/{interface}@0.1.0");
            let module = format_ident!("{}", interface.replace('-', "_"));
            quote!(#name: ::moongate_sdk::bindings::moongate::plugin::#module,)
        })
        .collect()
}

struct Exports(Vec<Hook>);

impl Exports {
    fn has(&self, hook: Hook) -> bool {
        self.0.contains(&hook)
    }

    /// A world with just these exports, followed by the package that it refers to.
    fn world(&self) -> String {
        let mut world = String::from(
            "package moongate:component;\nworld component {\n\
             include moongate:plugin/imports@0.1.0;\nexport moongate:plugin/lifecycle@0.1.0;\n",
        );
        for hook in HOOKS.into_iter().filter(|hook| self.has(*hook)) {
            world += &format!("export moongate:plugin/{}@0.1.0;\n", hook.interface());
        }
        world += "}\npackage moongate:plugin@0.1.0 {\n";
        for file in CONTRACT {
            world += file.split_once("package moongate:plugin@0.1.0;").map_or(file, |(_, rest)| rest);
        }
        world + "}\n"
    }

    fn implementations(&self) -> TokenStream {
        self.0.iter().map(|hook| implementation(*hook)).collect()
    }
}

const USAGE: &str =
    "name the plugin's type and its hooks, as in `export!(MyPlugin: OnRequest, OnResponse, Admin)`";

/// All hooks, in the order in which a request meets them.
const HOOKS: [Hook; 8] = [
    Hook::EarlyRequest,
    Hook::Request,
    Hook::Response,
    Hook::ResponseBody,
    Hook::Log,
    Hook::Timer,
    Hook::Admin,
    Hook::EntityWrite,
];

/// The interfaces of the world `imports`.
const IMPORTS: [&str; 11] = [
    "log",
    "context",
    "http",
    "consumers",
    "counters",
    "crypto",
    "entities",
    "http-client",
    "kv",
    "metrics",
    "secrets",
];

/// The files of the contract, of which the first names the package.
const CONTRACT: [&str; 7] = [
    include_str!("../../../wit/world.wit"),
    include_str!("../../../wit/lifecycle.wit"),
    include_str!("../../../wit/hooks.wit"),
    include_str!("../../../wit/http.wit"),
    include_str!("../../../wit/log.wit"),
    include_str!("../../../wit/context.wit"),
    include_str!("../../../wit/capabilities.wit"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(input: TokenStream) -> String {
        expand(input).unwrap_err().to_string()
    }

    #[test]
    fn the_world_exports_just_the_hooks_that_are_named() {
        let world = Exports(vec![Hook::Request]).world();
        let (component, contract) = world.split_once("package moongate:plugin@0.1.0 {").unwrap();
        assert!(component.contains("export moongate:plugin/lifecycle@0.1.0;"));
        assert!(component.contains("export moongate:plugin/request-hook@0.1.0;"));
        assert_eq!(component.matches("-hook@").count(), 1, "{component}");
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
        let refusal_of_unknown = refusal(quote!(A: OnRequests));
        assert!(
            refusal_of_unknown
                .starts_with("`OnRequests` is no hook: there are `OnEarlyRequest`, `OnRequest`, ")
        );
        assert!(refusal_of_unknown.ends_with(", `Admin` and `OnEntityWrite`"), "{refusal_of_unknown}");
        assert!(refusal(quote!(A: OnRequest, OnRequest)).starts_with("`OnRequest` is named twice"));
        assert!(expand(quote!(crate::A: OnRequest, OnResponse, Admin,)).is_ok());
    }

    #[test]
    fn every_hook_and_import_of_the_contract_is_known() {
        let (_, world) = CONTRACT[0].split_once("world imports {").unwrap();
        let imported = |line: &str| line.trim().strip_prefix("import ")?.strip_suffix(';').map(str::to_owned);
        assert_eq!(world.lines().filter_map(imported).collect::<Vec<_>>(), IMPORTS);
        let exported = |line: &str| line.trim().strip_prefix("export ")?.strip_suffix(';').map(str::to_owned);
        let exported: Vec<_> = world.lines().filter_map(exported).collect();
        assert_eq!(exported[0], "lifecycle");
        assert_eq!(exported[1..], HOOKS.map(Hook::interface));
    }
}
