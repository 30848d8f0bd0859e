//! `POST /moongate/plugins`: takes a plugin, if it is admitted.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use moongate_hooks::PluginStatus;
use serde_json::json;

use crate::access::Access;
use crate::api::{json_response, to_value};
use crate::arguments::Arguments;
use crate::body;
use crate::error::ApiError;
use crate::events::{HappeningKind, News, Observer};

/// Why a plugin was not taken. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The node loads plugins in no such way, or from nowhere.
    #[error("{0}")]
    Impossible(String),
    /// No plugin of that name is loaded.
    #[error("no plugin is named '{0}'")]
    Unknown(String),
    /// The artifact was not admitted.
    #[error("{0}")]
    Refused(String),
    /// The file could not be written or read.
    #[error("{0}")]
    Failed(String),
}

/// `POST /moongate/plugins?file=name.wasm`, with the component as its body.
///
/// Whoever may do this runs code in the gateway. So it is for nodes only whose callers show who they are.
pub(crate) async fn install(
    access: &Access,
    observer: &Observer,
    arguments: &Arguments,
    body: Body,
) -> Result<Response, ApiError> {
    if access.node().admin_token().is_none() {
        return Err(ApiError::Message(StatusCode::FORBIDDEN, NO_TOKEN.into()));
    }
    let file = arguments.one("file")?.unwrap_or_default().to_owned();
    if !is_file_name(&file) {
        return Err(ApiError::refused(NO_FILE));
    }
    let artifact = body::read_up_to(body, LARGEST).await?;
    let installed = access.node().install_plugin(file.clone(), artifact).await;
    if let Err(InstallError::Refused(why)) = &installed {
        let mut news = News::new(HappeningKind::PluginRefused, format!("The upload {file} was refused"));
        news.detail = Some(why.clone());
        observer.happened(news);
    }
    answer(StatusCode::CREATED, installed)
}

/// `POST /moongate/plugins/{name}/reload`
pub(crate) async fn reload(access: &Access, name: &str) -> Result<Response, ApiError> {
    answer(StatusCode::OK, access.node().reload_plugin(name.to_owned()).await)
}

fn answer(status: StatusCode, taken: Result<PluginStatus, InstallError>) -> Result<Response, ApiError> {
    let refused = |status, message: String| Err(ApiError::Message(status, message.into()));
    match taken {
        Ok(plugin) => Ok(json_response(status, &json!({"plugin": to_value(&plugin)?}))),
        Err(InstallError::Unknown(_)) => Err(ApiError::NotFound),
        Err(InstallError::Refused(why)) => refused(StatusCode::BAD_REQUEST, format!("the component {why}")),
        Err(InstallError::Impossible(why)) => refused(StatusCode::CONFLICT, why),
        Err(InstallError::Failed(why)) => refused(StatusCode::INTERNAL_SERVER_ERROR, why),
    }
}

/// Whether it can be the name of a plugin's file, in the directory itself.
fn is_file_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 128
        && name.strip_suffix(".wasm").is_some_and(|stem| !stem.is_empty())
        && !name.starts_with('.')
        && name.bytes().all(allowed)
}

const NO_TOKEN: &str =
    "plugins can be uploaded where callers show who they are: set the property admin_token";
const NO_FILE: &str =
    "the argument file must be a name of letters, digits, dots, dashes and underscores that ends in .wasm";

/// Bytes of a component. The plugin host may take less.
const LARGEST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_names_a_component_in_the_directory_itself() {
        for name in ["jwt-claims.wasm", "a.b_c.wasm", "1.wasm"] {
            assert!(is_file_name(name), "{name}");
        }
        for name in
            ["", ".wasm", "a", "a.wasm.txt", "../a.wasm", "a/b.wasm", "a b.wasm", ".a.wasm", "\u{e4}.wasm"]
        {
            assert!(!is_file_name(name), "{name}");
        }
    }
}
