//! Requests, and what is expected of their answers.

use std::net::SocketAddr;

use moongate::trial::{self, Call};
use serde_json::Value;

/// A request that is about to be sent.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    call: Call,
    shown: String,
    to: SocketAddr,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str, to: SocketAddr) -> Self {
        Self { call: Call::new(method, target), shown: format!("{method} {target}"), to }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.call = self.call.body(body);
        self
    }

    /// Sets a body of JSON, and its type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sends it, over a connection of its own, and waits for the whole answer.
    ///
    /// # Panics
    /// There is no answer.
    pub fn send(self) -> Response {
        match self.call.send(self.to) {
            Ok(answer) => Response { answer, shown: self.shown },
            Err(error) => panic!("{}: there is no answer: {error}", self.shown),
        }
    }
}

/// An answer. What is expected of it can be said in a chain; the first thing that is otherwise ends the test.
#[derive(Debug, Clone)]
pub struct Response {
    answer: trial::Response,
    shown: String,
}

impl Response {
    /// Status.
    pub fn status(&self) -> u16 {
        self.answer.status()
    }

    /// First value of a header, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.answer.header(name)
    }

    /// Headers in their order, names in lower case.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        self.answer.headers()
    }

    /// The whole body.
    pub fn body(&self) -> &[u8] {
        self.answer.body()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        self.answer.text()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        match self.answer.json() {
            Some(json) => json,
            None => panic!("{self}\nthe body should be JSON"),
        }
    }

    /// The status must be this.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert!(self.status() == status, "{self}\nthe status should be {status}");
        self
    }

    /// A header must have this value.
    #[track_caller]
    pub fn expect_header(&self, name: &str, value: &str) -> &Self {
        assert!(self.header(name).as_deref() == Some(value), "{self}\n{name} should be `{value}`");
        self
    }

    /// A header must not be there.
    #[track_caller]
    pub fn expect_no_header(&self, name: &str) -> &Self {
        assert!(self.header(name).is_none(), "{self}\n{name} should not be there");
        self
    }

    /// The body must be this text.
    #[track_caller]
    pub fn expect_text(&self, text: &str) -> &Self {
        assert!(self.text() == text, "{self}\nthe body should be `{text}`");
        self
    }

    /// The body must contain this text.
    #[track_caller]
    pub fn expect_contains(&self, text: &str) -> &Self {
        assert!(self.text().contains(text), "{self}\nthe body should contain `{text}`");
        self
    }

    /// The body must be this JSON value.
    #[track_caller]
    pub fn expect_json(&self, json: &Value) -> &Self {
        assert!(self.answer.json().as_ref() == Some(json), "{self}\nthe body should be {json}");
        self
    }
}

/// The whole answer: what one wants to see when a test has failed.
impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} was answered with {}", self.shown, self.status())?;
        for (name, value) in self.headers() {
            writeln!(f, "  {name}: {}", String::from_utf8_lossy(value))?;
        }
        write!(f, "\n  {}", self.text())
    }
}
