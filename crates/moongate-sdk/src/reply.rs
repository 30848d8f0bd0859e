//! Responses made by a plugin.

use serde::Serialize;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes on to the next plugin and then upstream.
    Continue,
    /// It is answered with this.
    Respond(Reply),
    /// It is answered with an error, in the form that the client accepts, as the gateway answers its own.
    Fail(Failure),
}

impl Decision {
    /// Answers with an error, 400 to 599, in the form that the client accepts: for JSON
    /// `{"message": ..., "request_id": ...}`.
    pub fn fail(status: u16, message: impl Into<String>) -> Self {
        Self::Fail(Failure { status, message: message.into(), headers: Vec::new() })
    }

    /// Answers with a status and the JSON body `{"message": ...}`, whatever the client accepts.
    pub fn message(status: u16, message: &str) -> Self {
        Self::Respond(Reply::message(status, message))
    }

    /// Adds a header to the answer; does nothing where there is none.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        match &mut self {
            Self::Continue => {}
            Self::Respond(reply) => reply.headers.push((name.into(), value.into())),
            Self::Fail(failure) => failure.headers.push((name.into(), value.into())),
        }
        self
    }
}

impl From<Reply> for Decision {
    fn from(reply: Reply) -> Self {
        Self::Respond(reply)
    }
}

impl From<Failure> for Decision {
    fn from(failure: Failure) -> Self {
        Self::Fail(failure)
    }
}

/// An answer in the form of the gateway's own errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Status, 400 to 599.
    pub status: u16,
    /// What the client is told.
    pub message: String,
    /// Headers that are added.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status, 200 to 599.
    pub status: u16,
    /// Headers, without those that frame the message.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A response without headers and body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with a plain-text body.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status).header("content-type", "text/plain; charset=utf-8").body(body.into())
    }

    /// A response with a JSON body; an empty one where the value is none that JSON can say.
    pub fn json(status: u16, body: &(impl Serialize + ?Sized)) -> Self {
        Self::new(status)
            .header("content-type", "application/json; charset=utf-8")
            .body(serde_json::to_vec(body).unwrap_or_default())
    }

    /// A response with the JSON body `{"message": ...}`.
    pub fn message(status: u16, message: &str) -> Self {
        Self::json(status, &serde_json::json!({ "message": message }))
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
}
