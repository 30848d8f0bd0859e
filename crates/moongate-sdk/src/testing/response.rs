//! The response of a test.

use std::cell::{Cell, RefCell};

use super::RawRequest;
use super::headers::{Header, Headers};
use crate::{BodyView, HeaderError, Response, Source};

/// A response that lives in the test.
#[derive(Debug)]
pub struct RawResponse {
    request: RawRequest,
    source: Source,
    status: Cell<u16>,
    headers: RefCell<Headers>,
    view: Cell<Option<BodyView>>,
    body: RefCell<Option<Vec<u8>>>,
}

impl RawResponse {
    /// A response of the upstream, to `GET /`.
    pub fn new(status: u16) -> Self {
        Self::to(&RawRequest::get("/"), status)
    }

    /// A response of the upstream to a request.
    pub fn to(request: &RawRequest, status: u16) -> Self {
        Self {
            request: request.clone(),
            source: Source::Upstream,
            status: Cell::new(status),
            headers: RefCell::default(),
            view: Cell::default(),
            body: RefCell::default(),
        }
    }

    /// Lets it come from somewhere else.
    #[must_use]
    pub fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.borrow_mut().receive(name, value.as_ref());
        self
    }

    /// The response as a hook gets it.
    pub fn as_response(&self) -> Response<'_> {
        Response::from_raw(self)
    }

    /// How the hook asked for the body.
    pub fn watched_body(&self) -> Option<BodyView> {
        self.view.get()
    }

    /// The body that the hook set.
    pub fn new_body(&self) -> Option<Vec<u8>> {
        self.body.borrow().clone()
    }

    pub(crate) fn request(&self) -> RawRequest {
        self.request.clone()
    }

    pub(crate) fn source(&self) -> Source {
        self.source
    }

    pub(crate) fn status(&self) -> u16 {
        self.status.get()
    }

    pub(crate) fn set_status(&self, status: u16) -> bool {
        let valid = (200..600).contains(&status);
        if valid {
            self.status.set(status);
        }
        valid
    }

    pub(crate) fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.borrow().first(name)
    }

    pub(crate) fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.headers.borrow().all(name)
    }

    pub(crate) fn headers(&self) -> Vec<Header> {
        self.headers.borrow().list()
    }

    pub(crate) fn set_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.headers.borrow_mut().set(name, value)
    }

    pub(crate) fn add_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.headers.borrow_mut().add(name, value)
    }

    pub(crate) fn remove_header(&self, name: &str) -> Result<(), HeaderError> {
        self.headers.borrow_mut().remove(name)
    }

    pub(crate) fn watch_body(&self, view: BodyView) {
        self.view.set(Some(view));
    }

    pub(crate) fn set_body(&self, body: &[u8]) {
        self.body.replace(Some(body.to_vec()));
    }
}
