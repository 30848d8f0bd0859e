//! The response that a hook was called for.

use crate::raw::http::Response as Raw;
use crate::{BodyView, HeaderError, Request, Source};

/// The head of a response, from the upstream, a plugin or the gateway itself.
#[derive(Debug)]
pub struct Response<'a>(&'a Raw);

impl<'a> Response<'a> {
    #[doc(hidden)]
    pub fn from_raw(raw: &'a Raw) -> Self {
        Self(raw)
    }

    /// The request that it answers. Edits of what goes upstream come too late, and do nothing.
    pub fn request(&self) -> Request<'static> {
        Request::from_owned(self.0.request())
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        self.0.source().into()
    }

    /// Status.
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// Changes the status, 200 to 599; says `false` to other values and ignores them.
    pub fn set_status(&self, status: u16) -> bool {
        self.0.set_status(status)
    }

    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.header(name)
    }

    /// First value of a header as text; `None` also when it is not UTF-8.
    pub fn header_text(&self, name: &str) -> Option<String> {
        self.header(name).and_then(|value| String::from_utf8(value).ok())
    }

    /// All values of a header, in order.
    pub fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.header_values(name)
    }

    /// All headers, with lower-case names.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.0.headers().into_iter().map(|header| (header.name, header.value)).collect()
    }

    /// Replaces all values of a header.
    ///
    /// # Errors
    /// See [`HeaderError`], also for the other functions that change headers.
    pub fn set_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.set_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Adds a value to a header.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn add_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.add_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Removes a header.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn remove_header(&self, name: &str) -> Result<(), HeaderError> {
        self.0.remove_header(name).map_err(Into::into)
    }

    /// Asks for the body: [`OnResponseBody`](crate::OnResponseBody) is called for it. Without it the body passes
    /// untouched, at no cost.
    pub fn watch_body(&self, view: BodyView) {
        self.0.watch_body(view.into());
    }

    /// Replaces the whole body, unread. The gateway sets `content-length`.
    pub fn set_body(&self, body: impl AsRef<[u8]>) {
        self.0.set_body(body.as_ref());
    }
}
