//! What the code that [`crate::export!`] writes calls. Not for use by hand.

pub use serde_json;
#[cfg(target_family = "wasm")]
pub use wit_bindgen;

use crate::{Plugin, Problem};

/// The configuration's JSON Schema.
pub fn schema<P: Plugin>() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.into_generator().into_root_schema_for::<P::Config>().to_value().to_string()
}

/// Makes a plugin from the text of its configuration.
pub fn configure<P: Plugin>(config: &str) -> Result<P, Vec<Problem>> {
    let mut deserializer = serde_json::Deserializer::from_str(config);
    let config = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        vec![Problem::at(path, plain(&error.into_inner()))]
    })?;
    P::new(config)
}

/// The text of an error without the position in the JSON text, which the author of a YAML file never saw.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(target_family = "wasm")]
mod glue {
    use crate::bindings::moongate::plugin::http;
    use crate::{HeaderError, Reply};

    impl From<http::HeaderError> for HeaderError {
        fn from(error: http::HeaderError) -> Self {
            match error {
                http::HeaderError::InvalidName => Self::InvalidName,
                http::HeaderError::InvalidValue => Self::InvalidValue,
                http::HeaderError::Forbidden => Self::Forbidden,
                http::HeaderError::TooLarge => Self::TooLarge,
            }
        }
    }

    impl From<Reply> for http::Reply {
        fn from(reply: Reply) -> Self {
            let headers = reply.headers.into_iter().map(|(name, value)| http::Header { name, value }).collect();
            Self { status: reply.status, headers, body: reply.body }
        }
    }
}
