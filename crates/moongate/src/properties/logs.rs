//! Where requests are logged.

use std::path::PathBuf;

use moongate_proxy::{AccessLogFormat, LogTarget};
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::value::{Read, choice, name_of, text, wrong};

/// Reads a path, `off`, or the name of an output of the process.
pub(super) fn read_target(value: &Value) -> Read<Option<LogTarget>> {
    let text = text(value)?;
    Ok(match text.as_str() {
        "" => return wrong("is empty; write `off` to log nothing"),
        // YAML has it that an unquoted `off` may be a truth value.
        "off" | "false" => None,
        "/dev/stdout" | "stdout" => Some(LogTarget::Stdout),
        "/dev/stderr" | "stderr" => Some(LogTarget::Stderr),
        path if path.contains(char::is_whitespace) => {
            return wrong(format!("`{path}` has a space in it; `access_log_format` says how lines look"));
        }
        path => Some(LogTarget::File(PathBuf::from(path))),
    })
}

/// As [`read_target`]; the name of Kong's only format may stand behind the path.
pub(super) fn read_stream_target(value: &Value) -> Read<Option<LogTarget>> {
    let text = text(value)?;
    read_target(&Value::String(text.strip_suffix(" basic").unwrap_or(&text).to_owned()))
}

pub(super) fn show_target(target: &Option<LogTarget>) -> Json {
    match target {
        None => json!("off"),
        Some(LogTarget::Stdout) => json!("/dev/stdout"),
        Some(LogTarget::Stderr) => json!("/dev/stderr"),
        Some(LogTarget::File(path)) => json!(path.display().to_string()),
    }
}

pub(super) fn read_format(value: &Value) -> Read<AccessLogFormat> {
    choice(value, &FORMATS)
}

pub(super) fn show_format(format: &AccessLogFormat) -> Json {
    json!(name_of(format, &FORMATS))
}

const FORMATS: [(&str, AccessLogFormat); 2] =
    [("combined", AccessLogFormat::Combined), ("json", AccessLogFormat::Json)];
