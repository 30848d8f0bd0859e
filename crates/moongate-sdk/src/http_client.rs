//! Sends requests to other servers. Needs the grant `http-client`, which names the hosts.
//!
//! A plugin may have 64 requests on their way on one node; more wait. Redirects are not followed: they are
//! responses.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::raw::http_client as raw;

/// A request to another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Method, in capitals.
    pub method: String,
    /// Absolute URL, `http` or `https`. A user and password in it become an `authorization` header.
    pub url: String,
    /// Headers. Those that frame the message are the gateway's.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Time until the whole response must be there, to the millisecond, at most a minute; 10 s unless changed.
    pub timeout: Duration,
    /// Whether the server's certificate must be good; yes unless changed.
    pub tls_verify: bool,
}

impl Outgoing {
    /// A request.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(10),
            tls_verify: true,
        }
    }

    /// A `GET` request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Replaces the body by a value as JSON; by an empty one where JSON cannot say it.
    #[must_use]
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.header("content-type", "application/json").body(serde_json::to_vec(body).unwrap_or_default())
    }

    /// Changes the time until the whole response must be there.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Changes whether the server's certificate must be good.
    #[must_use]
    pub fn tls_verify(mut self, verify: bool) -> Self {
        self.tls_verify = verify;
        self
    }

    /// Sends it and waits for the whole response.
    ///
    /// # Errors
    /// See [`ClientError`]. A response with an error status is a response.
    pub fn send(self) -> Result<Incoming, ClientError> {
        raw::send(&self.into()).map(Into::into).map_err(Into::into)
    }
}

/// A response of another server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incoming {
    /// Status.
    pub status: u16,
    /// Headers, with lower-case names.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Incoming {
    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// It is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientError {
    /// The URL is not one, or has another scheme.
    InvalidUrl(String),
    /// The host, or an address that its name leads to, is not among those that the plugin was granted.
    Forbidden(String),
    /// Nobody answers there: no such name, no connection, no good certificate.
    Unreachable(String),
    /// It took too long.
    Timeout,
    /// The response is longer than 1 MiB.
    TooLarge,
    /// The server does not speak HTTP, or went away.
    Broken(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(text) => write!(f, "invalid URL: {text}"),
            Self::Forbidden(text) => write!(f, "not granted: {text}"),
            Self::Unreachable(text) => write!(f, "unreachable: {text}"),
            Self::Timeout => f.write_str("timeout"),
            Self::TooLarge => f.write_str("response is too large"),
            Self::Broken(text) => write!(f, "broken connection: {text}"),
        }
    }
}

impl std::error::Error for ClientError {}
