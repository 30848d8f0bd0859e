//! Changes of a request, and of the response that it will get.

use std::time::Duration;

use serde::Serialize;

use super::Request;
use crate::HeaderError;

impl Request<'_> {
    /// Replaces all values of a header that goes upstream. `host` names the upstream's virtual host.
    ///
    /// # Errors
    /// See [`HeaderError`], also for the other functions that change headers.
    pub fn set_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.set_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Adds a value to a header that goes upstream.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn add_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.add_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Removes a header, so that the upstream does not see it.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn remove_header(&self, name: &str) -> Result<(), HeaderError> {
        self.0.remove_header(name).map_err(Into::into)
    }

    /// Changes the method of the request that goes upstream; says `false`, and changes nothing, where the text
    /// is not one.
    pub fn set_method(&self, method: &str) -> bool {
        self.0.set_method(method)
    }

    /// Replaces the path of the request that goes upstream, after the service's and route's settings were
    /// applied. Starts with a slash; what a URL cannot have is percent-encoded. Says `false`, and changes
    /// nothing, where it cannot be a path.
    pub fn set_path(&self, path: &str) -> bool {
        self.0.set_path(path)
    }

    /// Replaces the query, without the `?`; `None` removes it. Later plugins and the upstream see it. Says
    /// `false`, and changes nothing, where it cannot be a query.
    pub fn set_query(&self, query: Option<&str>) -> bool {
        self.0.set_query(query)
    }

    /// Replaces the query by these pairs, encoded.
    pub fn set_query_pairs<'p>(&self, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> bool {
        self.set_query(Some(&crate::text::encode_pairs(pairs)))
    }

    /// Replaces the body. The gateway sets `content-length`.
    pub fn set_body(&self, body: impl AsRef<[u8]>) {
        self.0.set_body(body.as_ref());
    }

    /// Sends the request to another upstream, by the name of the entity; says `false`, and changes nothing, where
    /// there is none of that name.
    pub fn set_upstream(&self, name: &str) -> bool {
        self.0.set_upstream(name)
    }

    /// Sends the request to another host and port, without balancing.
    pub fn set_target(&self, host: &str, port: u16) {
        self.0.set_target(host, port);
    }

    /// Scheme of the connection to the upstream, `http` or `https`; says `false` to others.
    pub fn set_scheme(&self, scheme: &str) -> bool {
        self.0.set_scheme(scheme)
    }

    /// Time to connect, between two writes and between two reads, instead of the service's; to the millisecond.
    pub fn set_timeouts(&self, connect: Duration, write: Duration, read: Duration) {
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        self.0.set_timeouts(milliseconds(connect), milliseconds(write), milliseconds(read));
    }

    /// Attempts after the first, instead of the service's.
    pub fn set_retries(&self, retries: u16) {
        self.0.set_retries(retries);
    }

    /// Replaces all values of a header of the response that this request will get, whoever makes it.
    ///
    /// Cheaper than a response hook, which would be another call.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn set_response_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.set_response_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Adds a value to a header of the response that this request will get.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn add_response_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.add_response_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Removes a header from the response that this request will get.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn remove_response_header(&self, name: &str) -> Result<(), HeaderError> {
        self.0.remove_response_header(name).map_err(Into::into)
    }

    /// Puts a value into the log record of this request. Dots in the key lead into nested objects, a backslash
    /// before a dot makes it an ordinary character. Says `false` where JSON cannot say the value.
    pub fn set_log_field(&self, key: &str, value: &(impl Serialize + ?Sized)) -> bool {
        serde_json::to_string(value).is_ok_and(|value| self.0.set_log_field(key, Some(&value)))
    }

    /// Removes a field from the log record of this request.
    pub fn remove_log_field(&self, key: &str) {
        self.0.set_log_field(key, None);
    }
}
