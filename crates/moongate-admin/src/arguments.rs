//! Query strings and form bodies, decoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::ApiError;

/// Decoded names and values, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// Decodes `text`, which has the form `a=1&b=2`.
    ///
    /// # Errors
    /// [`ApiError::TooManyArguments`].
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut arguments = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if arguments.len() == MOST {
                return Err(ApiError::TooManyArguments);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            arguments.push((decode(name), decode(value)));
        }
        Ok(Self(arguments))
    }

    /// The value of an argument that may be given once.
    ///
    /// # Errors
    /// [`ApiError::Unexpected`] when it was given more often, which is how Kong answers that.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(ApiError::Unexpected),
        }
    }

    /// The first value of an argument.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl IntoIterator for Arguments {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Encodes a text for use as a path segment or as the value of an argument.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// More arguments than this are refused.
pub(crate) const MOST: usize = 1000;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_and_a_stray_percent_sign_stays() {
        let arguments = Arguments::parse("a%5b%5D=x+y%2Bz&&offset=%%%&flag").unwrap();
        assert_eq!(arguments.one("a[]").unwrap(), Some("x y+z"));
        assert_eq!(arguments.one("offset").unwrap(), Some("%%%"));
        assert_eq!(arguments.one("flag").unwrap(), Some(""));
        assert_eq!(arguments.one("none").unwrap(), None);
    }

    #[test]
    fn a_thousand_arguments_are_accepted_and_one_more_is_not() {
        assert!(Arguments::parse(&["a=1"; 1000].join("&")).is_ok());
        assert!(matches!(Arguments::parse(&["a=1"; 1001].join("&")), Err(ApiError::TooManyArguments)));
    }
}
