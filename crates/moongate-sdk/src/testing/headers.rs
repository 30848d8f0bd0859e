//! Headers under the gateway's rules.

use crate::{HeaderError, check_header_name};

#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Adds what a client or an upstream sent, unchecked.
    pub(super) fn receive(&mut self, name: &str, value: &[u8]) {
        self.0.push((name.to_ascii_lowercase(), value.to_vec()));
    }

    pub(super) fn first(&self, name: &str) -> Option<Vec<u8>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }

    pub(super) fn all(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn list(&self) -> Vec<Header> {
        self.0.iter().map(|(name, value)| Header { name: name.clone(), value: value.clone() }).collect()
    }

    pub(super) fn set(&mut self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        check(name, value)?;
        self.remove(name)?;
        self.add(name, value)
    }

    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), HeaderError> {
        check(name, value)?;
        if self.0.len() >= 1_000 {
            return Err(HeaderError::TooLarge);
        }
        self.receive(name, value);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
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
