//! From a request to its answer.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use crate::controls::Controls;
use crate::decode;
use crate::document::Document;
use crate::files::{FileError, FileRoot, Found};

/// What every connection of a server shares.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) files: Option<Arc<FileRoot>>,
    pub(crate) max_delay: Duration,
    pub(crate) max_body: usize,
    pub(crate) log: bool,
}

impl Echo {
    /// Answers `request`, which came from `peer`, and prints its line when asked to.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        if !self.log {
            return self.respond(request, peer).await;
        }
        let started = Instant::now();
        let asked = format!("{} {}", request.method(), request.uri());
        let response = self.respond(request, peer).await;
        let (status, size) = (response.status().as_u16(), response.body().size_hint().lower());
        let took = started.elapsed().as_millis();
        // Whoever read the log may have gone; that is no reason to stop answering.
        drop(writeln!(std::io::stdout(), "{peer} {asked} -> {status}, {size} bytes, {took} ms"));
        response
    }

    async fn respond(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if head.method == Method::CONNECT {
            // A 2xx would turn the connection into a tunnel that leads nowhere.
            return problem(StatusCode::METHOD_NOT_ALLOWED, "this server is no proxy and opens no tunnels");
        }
        let query = decode::pairs(head.uri.query().unwrap_or_default());
        let controls = Controls::of(&head.headers, &query);
        let body = match self.receive(&head, body).await {
            Ok(body) => body,
            Err(response) => return *response,
        };
        tokio::time::sleep(controls.delay.min(self.max_delay)).await;

        let mut response = match self.chosen(&controls).await {
            Some(response) => response,
            None => {
                let document = Document::new(&head, &query, &body, peer, self.environment.as_ref());
                json_response(StatusCode::OK, &document)
            }
        };
        if let Some(status) = controls.status() {
            *response.status_mut() = status;
        }
        for (name, value) in controls.headers {
            if name == CONTENT_TYPE {
                response.headers_mut().insert(name, value);
            } else {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// The content that the request chose in place of the document.
    async fn chosen(&self, controls: &Controls) -> Option<Response<Full<Bytes>>> {
        if let (Some(path), Some(files)) = (&controls.file, &self.files) {
            let (path, files) = (path.clone(), Arc::clone(files));
            return Some(match tokio::task::spawn_blocking(move || files.read(&path)).await {
                Ok(Ok(Found::Directory(names))) => json_response(StatusCode::OK, &names),
                Ok(Ok(Found::File(content))) => response(StatusCode::OK, TEXT, content),
                Ok(Err(error @ FileError::TooLarge { .. })) => {
                    problem(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string())
                }
                Ok(Err(error @ FileError::NotFound)) => problem(StatusCode::NOT_FOUND, &error.to_string()),
                // Only a runtime that is going away cancels the read.
                Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down"),
            });
        }
        if let (Some(name), Some(environment)) = (&controls.environment, &self.environment) {
            return Some(json_response(StatusCode::OK, &environment.get(name)));
        }
        controls.body.as_ref().map(|body| json_response(StatusCode::OK, body))
    }

    /// Reads the body whole, or says what to answer instead. Boxed because a response is large and rarely comes.
    async fn receive(&self, head: &Parts, mut body: Incoming) -> Result<Bytes, Box<Response<Full<Bytes>>>> {
        let announced = body.size_hint().lower();
        let error = if announced > self.max_body as u64 {
            None
        } else {
            match Limited::new(&mut body, self.max_body).collect().await {
                Ok(collected) => return Ok(collected.to_bytes()),
                Err(error) => Some(error),
            }
        };
        if let Some(error) = error.filter(|error| !error.is::<LengthLimitError>()) {
            let text = format!("the request body could not be read: {error}");
            return Err(Box::new(problem(StatusCode::BAD_REQUEST, &text)));
        }
        // Closing a socket that holds unread bytes resets it, and the reset overtakes the answer. A client that
        // waits for permission has sent nothing yet, and reading would give it.
        if !head.headers.contains_key(EXPECT) {
            let rest = async { while let Some(Ok(_)) = body.frame().await {} };
            drop(tokio::time::timeout(DISCARD_LIMIT, rest).await);
        }
        let text = format!("the request body is larger than {} bytes", self.max_body);
        Err(Box::new(problem(StatusCode::PAYLOAD_TOO_LARGE, &text)))
    }
}

fn problem(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({ "error": text }))
}

fn json_response(status: StatusCode, content: &impl Serialize) -> Response<Full<Bytes>> {
    // Everything that is sent has text keys, so this cannot fail; an empty answer would show it if it did.
    response(status, JSON, serde_json::to_vec(content).unwrap_or_default())
}

fn response(status: StatusCode, content_type: HeaderValue, content: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(content));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// Files are never HTML to a browser, whatever they hold.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// How long to go on reading a body that was refused.
const DISCARD_LIMIT: Duration = Duration::from_secs(2);
