//! The code behind each hook: from the bindings' types to the SDK's and back.

use proc_macro2::TokenStream;
use quote::quote;

use super::Hook;

pub(super) fn implementation(hook: Hook) -> TokenStream {
    match hook {
        Hook::EarlyRequest => request(
            &quote!(early_request_hook),
            &quote!(on_early_request),
            &quote!(::moongate_sdk::OnEarlyRequest::on_early_request),
        ),
        Hook::Request => request(
            &quote!(request_hook),
            &quote!(on_request),
            &quote!(::moongate_sdk::OnRequest::on_request),
        ),
        Hook::Response => response(),
        Hook::ResponseBody => response_body(),
        Hook::Log => log(),
        Hook::Timer => timer(),
        Hook::Admin => admin(),
        Hook::EntityWrite => entity_write(),
    }
}

fn request(interface: &TokenStream, function: &TokenStream, implementation: &TokenStream) -> TokenStream {
    quote! {
        impl hooks::#interface::Guest for Component {
            fn #function(
                config: lifecycle::PluginBorrow<'_>,
                request: &::moongate_sdk::bindings::moongate::plugin::http::Request,
            ) -> Result<::moongate_sdk::bindings::moongate::plugin::http::Decision, String> {
                let plugin = &config.get::<Configured>().0;
                let request = ::moongate_sdk::Request::from_raw(request);
                #implementation(plugin, &request)
                    .map(Into::into)
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn response() -> TokenStream {
    quote! {
        impl hooks::response_hook::Guest for Component {
            fn on_response(
                config: lifecycle::PluginBorrow<'_>,
                response: &::moongate_sdk::bindings::moongate::plugin::http::Response,
            ) -> Result<(), String> {
                let plugin = &config.get::<Configured>().0;
                let response = ::moongate_sdk::Response::from_raw(response);
                ::moongate_sdk::OnResponse::on_response(plugin, &response)
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn response_body() -> TokenStream {
    quote! {
        impl hooks::response_body_hook::Guest for Component {
            fn on_response_body(
                config: lifecycle::PluginBorrow<'_>,
                response: &::moongate_sdk::bindings::moongate::plugin::http::Response,
                piece: Vec<u8>,
                last: bool,
            ) -> Result<Option<Vec<u8>>, String> {
                let plugin = &config.get::<Configured>().0;
                let response = ::moongate_sdk::Response::from_raw(response);
                ::moongate_sdk::OnResponseBody::on_response_body(plugin, &response, piece, last)
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn log() -> TokenStream {
    quote! {
        impl hooks::log_hook::Guest for Component {
            fn on_log(config: lifecycle::PluginBorrow<'_>, records: Vec<String>) -> Result<(), String> {
                ::moongate_sdk::OnLog::on_log(&config.get::<Configured>().0, &records)
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn timer() -> TokenStream {
    quote! {
        impl hooks::timer_hook::Guest for Component {
            fn on_timer(config: lifecycle::PluginBorrow<'_>) -> Result<(), String> {
                ::moongate_sdk::OnTimer::on_timer(&config.get::<Configured>().0)
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn admin() -> TokenStream {
    quote! {
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
                    .map_err(::moongate_sdk::Error::into_message)
            }
        }
    }
}

fn entity_write() -> TokenStream {
    quote! {
        impl hooks::entity_hook::Guest for Component {
            fn on_write(
                entity: String,
                row: String,
                changed: Vec<String>,
            ) -> Result<String, Vec<lifecycle::Problem>> {
                ::moongate_sdk::export::write_row::<Exported>(&entity, &row, &changed).map_err(lower)
            }
        }
    }
}
