//! The console: the pages from which people see and change the node in a browser.
//!
//! They are files, made by a build of their own and part of the program where that build was there when the program was
//! made, and they talk to the Admin API like any other client. So another build can be served in their place.

mod assets;
mod kconfig;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HOST, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use self::assets::{Asset, Assets};

/// Which pages are served, and what they are told.
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {
    /// The directory of another build; without it the one that is part of the program.
    pub directory: Option<PathBuf>,
    /// Where browsers find the Admin API, as a URL; without it at the port below of the host that served the page.
    pub admin_url: Option<String>,
    /// The port of the Admin API, without TLS.
    pub admin_port: Option<u16>,
    /// The port of the Admin API over TLS.
    pub admin_tls_port: Option<u16>,
}

/// Serves the console.
pub fn console(options: ConsoleOptions) -> Router {
    let assets = Assets::new(options.directory.clone());
    Router::new().fallback(answer).with_state(Arc::new(Console { options, assets }))
}

/// Whether the program has the console's pages.
pub fn has_console() -> bool {
    Assets::new(None).read(INDEX).is_some()
}

struct Console {
    options: ConsoleOptions,
    assets: Assets,
}

async fn answer(State(console): State<Arc<Console>>, request: Request) -> Response {
    let mut response = match *request.method() {
        Method::GET | Method::HEAD => console.find(request.uri().path(), request.headers()),
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "The console only has pages to read.\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Another build may need what this one does not.
    if console.options.directory.is_none()
        && let Ok(policy) = HeaderValue::try_from(console.policy(request.headers()))
    {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

impl Console {
    fn find(&self, path: &str, headers: &HeaderMap) -> Response {
        if path == "/kconfig.js" {
            let mut response = Response::new(Body::from(kconfig::write(&self.options)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/javascript"));
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return response;
        }
        let Some(path) = assets::clean(path) else {
            return plain(StatusCode::NOT_FOUND, "There is no such file.\n");
        };
        let (name, asset) = match self.assets.read(&path) {
            Some(asset) => (path.as_str(), Some(asset)),
            // Names of files that a build made: whoever asks for one that is not there has an old page.
            None if path.starts_with("assets/") => (path.as_str(), None),
            // Any other path is one of the page's own.
            None => (INDEX, self.assets.read(INDEX)),
        };
        match asset {
            Some(asset) => serve(name, asset, self.smaller(name, headers), headers),
            None if name == INDEX => missing(&self.options),
            None => plain(StatusCode::NOT_FOUND, "There is no such file.\n"),
        }
    }

    /// The same file compressed in a way that the client takes, if the build made one.
    fn smaller(&self, name: &str, headers: &HeaderMap) -> Option<(&'static str, Asset)> {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        CODINGS
            .into_iter()
            .filter(|(coding, _)| accepts(accepted, coding))
            .find_map(|(coding, ending)| Some((coding, self.assets.read(&format!("{name}{ending}"))?)))
    }

    /// Scripts, styles and figures come from here, and nothing is sent to anybody but the Admin API.
    fn policy(&self, headers: &HeaderMap) -> String {
        let mut connect = String::from("'self'");
        let ports = [("http", self.options.admin_port), ("https", self.options.admin_tls_port)];
        match (&self.options.admin_url, host(headers)) {
            (Some(url), _) => {
                connect.push(' ');
                connect.push_str(&origin(url));
            }
            (None, Some(host)) => {
                for (scheme, port) in ports {
                    if let Some(port) = port {
                        connect.push_str(&format!(" {scheme}://{host}:{port}"));
                    }
                }
            }
            (None, None) => {}
        }
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src \
             'self'; connect-src {connect}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
    }
}

fn serve(name: &str, asset: Asset, smaller: Option<(&'static str, Asset)>, headers: &HeaderMap) -> Response {
    let (coding, sent) = match smaller {
        Some((coding, smaller)) => (Some(coding), smaller),
        None => (None, asset),
    };
    let tag = HeaderValue::try_from(format!("\"{}\"", sent.tag())).ok();
    let known = tag.is_some() && headers.get(IF_NONE_MATCH) == tag.as_ref();
    let mut response = match known {
        true => Response::new(Body::empty()),
        false => Response::new(Body::from(sent.into_bytes())),
    };
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // The names of these change with what is in them.
    let lasting = name.starts_with("assets/");
    let caching = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Some(tag) = tag {
        headers.insert(ETAG, tag);
    }
    response
}

/// The page in place of the console, where it is not there.
fn missing(options: &ConsoleOptions) -> Response {
    let why: Cow<'_, str> = match &options.directory {
        Some(directory) => format!(
            "<p>The property <code>admin_gui_dir</code> names a directory without an <code>index.html</code>: \
             <code>{}</code></p>",
            escaped(&directory.display().to_string())
        )
        .into(),
        None => "<p>This gateway was built without the console. With Node.js 20 or newer and npm, in the gateway's \
                 sources:</p><pre>cargo xtask console\ncargo build --release</pre><p>A debug build finds the files when \
                 they are there; a release build has to be made after them. The container image has them.</p>"
            .into(),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Moongate</title><style>body{{font:16px/1.5 system-ui,sans-serif;\
         max-width:40rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}}pre,code{{background:#f0f0f4;\
         padding:.1em .3em;border-radius:4px}}pre{{padding:1em}}</style><main><h1>The console is not here</h1>{why}<p>The \
         Admin API works without it.</p></main></html>\n"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Whether a list of codings has one, and not with a weight of zero.
fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        named && weight != Some(0.0)
    })
}

/// The host that was asked for, without the port; nothing that could end the policy's sentence.
fn host(headers: &HeaderMap) -> Option<&str> {
    let authority = headers.get(HOST)?.to_str().ok()?;
    let host = match authority.strip_prefix('[') {
        Some(_) => authority.get(..=authority.find(']')?)?,
        None => authority.split(':').next()?,
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    (!host.is_empty() && host.bytes().all(allowed)).then_some(host)
}

/// Scheme and authority of a URL; with both schemes where it has none.
fn origin(url: &str) -> String {
    let clean = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(*c)).collect()
    };
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{}://{}", clean(scheme), clean(rest)),
        None => format!("http://{0} https://{0}", clean(url)),
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const INDEX: &str = "index.html";

/// The better first.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

#[cfg(test)]
mod tests;
