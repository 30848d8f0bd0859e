//! The query and the cookies of a request, taken apart.

use super::Request;
use crate::text;

impl Request<'_> {
    /// Names and values of the query, decoded, in their order, with all duplicates.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        self.query().map(|query| text::pairs(&query)).unwrap_or_default()
    }

    /// The first value of a name in the query, decoded. For several names ask [`Request::query_pairs`] once.
    pub fn query_value(&self, name: &str) -> Option<String> {
        text::value(&self.query()?, name)
    }

    /// Names and values of all cookies, as they stand in the `Cookie` headers.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let mut cookies = Vec::new();
        for header in self.header_values("cookie") {
            let header = String::from_utf8_lossy(&header);
            cookies.extend(text::cookies(&header).map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        cookies
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let value =
            |header: Vec<u8>| text::cookie(&String::from_utf8_lossy(&header), name).map(str::to_owned);
        self.header_values("cookie").into_iter().find_map(value)
    }
}
