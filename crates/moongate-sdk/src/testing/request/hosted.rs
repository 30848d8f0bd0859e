//! What the gateway does for a request, as the bindings have it.

use super::{RawRequest, State};
use crate::testing::headers::Header;
use crate::{BodyError, Captures, Consumer, Credential, HeaderError, Met, TlsInfo};

impl RawRequest {
    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.borrow())
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.0.borrow_mut())
    }

    pub(crate) fn method(&self) -> String {
        self.read(|state| state.method.clone())
    }

    pub(crate) fn scheme(&self) -> String {
        self.read(|state| state.scheme.clone())
    }

    pub(crate) fn version(&self) -> String {
        self.read(|state| state.version.clone())
    }

    pub(crate) fn host(&self) -> Option<String> {
        self.header("host").and_then(|host| String::from_utf8(host).ok())
    }

    pub(crate) fn port(&self) -> u16 {
        self.read(|state| state.port)
    }

    pub(crate) fn path(&self) -> String {
        self.read(|state| state.path.clone())
    }

    pub(crate) fn normalised_path(&self) -> String {
        self.path()
    }

    pub(crate) fn query(&self) -> Option<String> {
        self.read(|state| state.query.clone())
    }

    pub(crate) fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.read(|state| state.headers.first(name))
    }

    pub(crate) fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.read(|state| state.headers.all(name))
    }

    pub(crate) fn headers(&self) -> Vec<Header> {
        self.read(|state| state.headers.list())
    }

    pub(crate) fn client_address(&self) -> String {
        self.read(|state| state.client_address.clone())
    }

    pub(crate) fn peer(&self) -> (String, u16) {
        self.read(|state| state.peer.clone())
    }

    pub(crate) fn forwarded(&self) -> (String, String, u16) {
        let host = self.host().unwrap_or_default();
        self.read(|state| match &state.forwarded {
            Some(forwarded) => (forwarded.scheme.clone(), forwarded.host.clone(), forwarded.port),
            None => (state.scheme.clone(), host.split(':').next().unwrap_or_default().to_owned(), state.port),
        })
    }

    pub(crate) fn tls(&self) -> Option<TlsInfo> {
        self.read(|state| state.tls.clone())
    }

    #[expect(clippy::unused_self, reason = "as in the bindings")]
    pub(crate) fn id(&self) -> String {
        "0123456789abcdef0123456789abcdef".into()
    }

    pub(crate) fn started(&self) -> u64 {
        self.read(|state| state.started)
    }

    pub(crate) fn route(&self) -> Option<String> {
        self.read(|state| state.route.clone())
    }

    pub(crate) fn service(&self) -> Option<String> {
        self.read(|state| state.service.clone())
    }

    pub(crate) fn entity(&self, which: Met) -> Option<String> {
        self.read(|state| {
            state.entities.iter().rev().find(|(met, _)| *met == which).map(|(_, text)| text.clone())
        })
    }

    pub(crate) fn captures(&self) -> Captures {
        self.read(|state| state.captures.clone())
    }

    pub(crate) fn consumer(&self) -> Option<Consumer> {
        self.read(|state| state.consumer.clone())
    }

    pub(crate) fn credential(&self) -> Option<Credential> {
        self.read(|state| state.credential.clone())
    }

    pub(crate) fn consumer_id(&self) -> Option<String> {
        self.consumer().map(|consumer| consumer.id)
    }

    pub(crate) fn credential_id(&self) -> Option<String> {
        self.credential().map(|credential| credential.id)
    }

    pub(crate) fn authenticate(&self, consumer: Option<Consumer>, credential: Option<Credential>) {
        self.write(|state| {
            state.consumer = consumer;
            state.credential = credential;
            state.outcome.authenticated = true;
        });
    }

    pub(crate) fn body(&self, limit: u64) -> Result<Vec<u8>, BodyError> {
        self.read(|state| {
            let body = match &state.outcome.body {
                Some(body) => body.clone(),
                None => state.body.clone()?,
            };
            let fits = u64::try_from(body.len()).is_ok_and(|length| length <= limit);
            fits.then_some(body).ok_or(BodyError::TooLarge)
        })
    }

    pub(crate) fn set_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.write(|state| state.headers.set(name, value))
    }

    pub(crate) fn add_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.write(|state| state.headers.add(name, value))
    }

    pub(crate) fn remove_header(&self, name: &str) -> Result<(), HeaderError> {
        self.write(|state| state.headers.remove(name))
    }

    pub(crate) fn set_method(&self, method: &str) -> bool {
        let valid = crate::check_header_name(method) != Err(HeaderError::InvalidName);
        if valid {
            self.write(|state| state.outcome.method = Some(method.to_owned()));
        }
        valid
    }

    pub(crate) fn set_path(&self, path: &str) -> bool {
        let valid = path.starts_with('/');
        if valid {
            self.write(|state| state.outcome.path = Some(path.to_owned()));
        }
        valid
    }

    pub(crate) fn set_query(&self, query: Option<&str>) -> bool {
        let valid = !query.is_some_and(|query| query.chars().any(char::is_control));
        if valid {
            self.write(|state| state.query = query.map(str::to_owned));
        }
        valid
    }

    pub(crate) fn set_body(&self, body: &[u8]) {
        self.write(|state| state.outcome.body = Some(body.to_vec()));
    }

    pub(crate) fn set_upstream(&self, name: &str) -> bool {
        self.write(|state| {
            let known = state.upstreams.iter().any(|upstream| upstream == name);
            if known {
                state.outcome.upstream = Some(name.to_owned());
            }
            known
        })
    }

    pub(crate) fn set_target(&self, host: &str, port: u16) {
        self.write(|state| state.outcome.target = Some((host.to_owned(), port)));
    }

    pub(crate) fn set_scheme(&self, scheme: &str) -> bool {
        let known = ["http", "https"].contains(&scheme);
        if known {
            self.write(|state| state.outcome.scheme = Some(scheme.to_owned()));
        }
        known
    }

    pub(crate) fn set_timeouts(&self, connect: u32, write: u32, read: u32) {
        self.write(|state| state.outcome.timeouts = Some((connect, write, read)));
    }

    pub(crate) fn set_retries(&self, retries: u16) {
        self.write(|state| state.outcome.retries = Some(retries));
    }

    pub(crate) fn set_response_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.write(|state| state.response_headers.set(name, value))
    }

    pub(crate) fn add_response_header(&self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        self.write(|state| state.response_headers.add(name, value))
    }

    pub(crate) fn remove_response_header(&self, name: &str) -> Result<(), HeaderError> {
        self.write(|state| state.response_headers.remove(name))
    }

    pub(crate) fn set_log_field(&self, key: &str, value: Option<&str>) -> bool {
        let Some(text) = value else {
            self.write(|state| state.outcome.log_fields.remove(key));
            return true;
        };
        let Ok(value) = serde_json::from_str(text) else { return false };
        self.write(|state| state.outcome.log_fields.insert(key.to_owned(), value));
        true
    }
}
