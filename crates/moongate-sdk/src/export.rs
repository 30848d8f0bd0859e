//! What the code that [`crate::export!`] writes calls. Not for use by hand.

#[cfg(target_family = "wasm")]
mod glue;

pub use serde_json;
#[cfg(target_family = "wasm")]
pub use wit_bindgen;

use crate::{Plugin, Problem};

/// Makes a plugin from the text of its configuration.
pub fn configure<P: Plugin>(config: &str) -> Result<P, Vec<Problem>> {
    // A list would do for serde: it takes one for the fields of a struct in their order.
    if !config.trim_start().starts_with('{') {
        return Err(vec![Problem::at("", "must be an object")]);
    }
    let mut json = serde_json::Deserializer::from_str(config);
    let config = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        vec![Problem::at(path, plain(&error.into_inner()))]
    })?;
    json.end().map_err(|error| vec![Problem::at("", plain(&error))])?;
    P::new(config)
}

/// The text of an error for the author of a YAML file, who never saw the positions in the JSON text, and does
/// not know Rust's names for numbers.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let mismatch = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    let Some((found, expected)) = mismatch.and_then(|mismatch| mismatch.rsplit_once(", expected ")) else {
        return text.to_owned();
    };
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => {
            "a whole number from 1 on"
        }
        "a sequence" => "a list",
        "a map" => "an object",
        "string or map" => "a string or an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    let found = match found {
        "map" => "an object",
        "sequence" => "a list",
        other => other,
    };
    format!("must be {expected}, not {found}")
}

/// Hands a row to the plugin, from text to text.
pub fn write_row<P: crate::OnEntityWrite>(
    entity: &str,
    row: &str,
    changed: &[String],
) -> Result<String, Vec<Problem>> {
    let row = serde_json::from_str(row).map_err(|error| vec![Problem::at("", error.to_string())])?;
    P::on_write(entity, row, changed).map(|row| serde_json::Value::Object(row).to_string())
}
