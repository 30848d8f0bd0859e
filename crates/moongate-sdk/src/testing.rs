//! Fakes with which a plugin's logic is tested on the machine at hand, by plain `cargo test`.
//!
//! ```
//! use moongate_sdk::testing::RawRequest;
//!
//! let request = RawRequest::get("/orders?page=2").with_header("accept", "text/plain");
//! assert_eq!(request.as_request().path(), "/orders");
//! request.as_request().set_response_header("x-seen", "yes").unwrap();
//! assert_eq!(request.response_header("x-seen").unwrap(), b"yes");
//! ```

use std::cell::{Cell, RefCell};

use crate::{HeaderError, Request, Response, check_header_name};

/// A request that lives in the test.
#[derive(Debug, Default)]
pub struct RawRequest {
    method: String,
    uri: String,
    headers: RefCell<Headers>,
    response_headers: RefCell<Headers>,
}

impl RawRequest {
    /// A GET request for a path, with or without a query.
    pub fn get(uri: &str) -> Self {
        Self::new("GET", uri)
    }

    /// A request with any method.
    pub fn new(method: &str, uri: &str) -> Self {
        context::clear();
        Self { method: method.into(), uri: uri.into(), ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.borrow_mut().0.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
        self
    }

    /// The request as a hook gets it.
    pub fn as_request(&self) -> Request<'_> {
        Request::from_raw(self)
    }

    /// First value of a header that the hook put on the response.
    pub fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        self.response_headers.borrow().first(name)
    }

    pub(crate) fn method(&self) -> String {
        self.method.clone()
    }

    pub(crate) fn scheme(&self) -> String {
        "http".into()
    }

    pub(crate) fn host(&self) -> Option<String> {
        self.header("host").and_then(|host| String::from_utf8(host).ok())
    }

    pub(crate) fn path(&self) -> String {
        self.uri.split('?').next().unwrap_or_default().into()
    }

    pub(crate) fn query(&self) -> Option<String> {
        self.uri.split_once('?').map(|(_, query)| query.into())
    }

    pub(crate) fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.borrow().first(name)
    }

    pub(crate) fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.headers.borrow().all(name)
    }

    pub(crate) fn headers(&self) -> Vec<Header> {
        self.headers.borrow().0.iter().map(Header::from).collect()
    }

    pub(crate) fn client_address(&self) -> String {
        "127.0.0.1".into()
    }

    pub(crate) fn id(&self) -> String {
        "0123456789abcdef0123456789abcdef".into()
    }

    pub(crate) fn route(&self) -> Option<String> {
        Some("test-route".into())
    }

    pub(crate) fn service(&self) -> Option<String> {
        Some("test-service".into())
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

    pub(crate) fn set_response_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.response_headers.borrow_mut().set(name, value)
    }

    pub(crate) fn add_response_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.response_headers.borrow_mut().add(name, value)
    }

    pub(crate) fn remove_response_header(&self, name: &str) -> Result<(), HeaderError> {
        self.response_headers.borrow_mut().remove(name)
    }
}

/// A response that lives in the test.
#[derive(Debug, Default)]
pub struct RawResponse {
    status: Cell<u16>,
    headers: RefCell<Headers>,
}

impl RawResponse {
    /// A response with a status.
    pub fn new(status: u16) -> Self {
        Self { status: Cell::new(status), ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.borrow_mut().0.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
        self
    }

    /// The response as a hook gets it.
    pub fn as_response(&self) -> Response<'_> {
        Response::from_raw(self)
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
        self.headers.borrow().0.iter().map(Header::from).collect()
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
}

pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

impl From<&(String, Vec<u8>)> for Header {
    fn from((name, value): &(String, Vec<u8>)) -> Self {
        Self { name: name.clone(), value: value.clone() }
    }
}

#[derive(Debug, Default)]
struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    fn first(&self, name: &str) -> Option<Vec<u8>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }

    fn all(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
    }

    fn set(&mut self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        check(name, value)?;
        self.remove(name)?;
        self.add(name, value)
    }

    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        check(name, value)?;
        if self.0.len() >= 1_000 {
            return Err(HeaderError::TooLarge);
        }
        self.0.push((name.to_ascii_lowercase(), value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
        check_header_name(name)?;
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        Ok(())
    }
}

/// The gateway's rules, see `http.wit`.
fn check(name: &str, value: &[u8]) -> Result<(), HeaderError> {
    check_header_name(name)?;
    if value.len() > 64 * 1024 {
        return Err(HeaderError::TooLarge);
    }
    if value.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        return Err(HeaderError::InvalidValue);
    }
    Ok(())
}

pub(crate) mod context {
    //! The context of the request that the test made last on this thread.

    use std::cell::RefCell;
    use std::collections::HashMap;

    thread_local! {
        static VALUES: RefCell<HashMap<(bool, String), Vec<u8>>> = RefCell::default();
    }

    pub(crate) fn clear() {
        VALUES.with_borrow_mut(HashMap::clear);
    }

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        read(false, key)
    }

    pub(crate) fn set(key: &str, value: Option<&[u8]>) -> bool {
        write(false, key, value)
    }

    pub(crate) fn get_shared(key: &str) -> Option<Vec<u8>> {
        read(true, key)
    }

    pub(crate) fn set_shared(key: &str, value: Option<&[u8]>) -> bool {
        write(true, key, value)
    }

    fn read(shared: bool, key: &str) -> Option<Vec<u8>> {
        VALUES.with_borrow(|values| values.get(&(shared, key.to_owned())).cloned())
    }

    fn write(shared: bool, key: &str, value: Option<&[u8]>) -> bool {
        VALUES.with_borrow_mut(|values| {
            let slot = (shared, key.to_owned());
            let others: usize = values
                .iter()
                .filter(|(known, _)| **known != slot)
                .map(|((_, key), value)| key.len() + value.len())
                .sum();
            match value {
                Some(value) if others + key.len() + value.len() > 64 * 1024 => return false,
                Some(value) => values.insert(slot, value.to_vec()),
                None => values.remove(&slot),
            };
            true
        })
    }
}

pub(crate) mod log {
    //! The log of a test: its captured output.

    pub(crate) use crate::log::Level;

    pub(crate) fn write(level: Level, message: &str) {
        println!("{level:?}: {message}");
    }

    pub(crate) fn enabled(_level: Level) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
