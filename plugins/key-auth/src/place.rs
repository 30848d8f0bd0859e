//! Where a key may be.

mod body;
mod multipart;

use std::cell::OnceCell;

use moongate_sdk::{Request, text};

pub(crate) use self::body::Body;
use crate::config::Config;

/// What was found under the names of a configuration.
pub(crate) enum Found<'c> {
    /// No key.
    Nothing,
    /// More than one value under a name.
    Several,
    /// A key, and the name that it was found under.
    Key { name: &'c str, key: String },
}

/// What stands under one name at one place.
pub(crate) enum Value {
    /// Nothing, or something that is no key and says nothing of one.
    Other,
    /// One text.
    Text(String),
    /// More than one value.
    Several,
}

/// The places of a request, each read when it is first needed.
pub(crate) struct Places<'a, 'r, 'c> {
    request: &'a Request<'r>,
    config: &'c Config,
    query: OnceCell<Vec<(String, String)>>,
    body: OnceCell<Body>,
}

impl<'a, 'r, 'c> Places<'a, 'r, 'c> {
    pub(crate) fn new(request: &'a Request<'r>, config: &'c Config) -> Self {
        Self { request, config, query: OnceCell::new(), body: OnceCell::new() }
    }

    /// The first key: name by name, and in the header before the query before the body.
    pub(crate) fn find(&mut self) -> Found<'c> {
        let config = self.config;
        for name in &config.key_names {
            match self.value(name) {
                Value::Text(key) => return Found::Key { name, key },
                Value::Several => return Found::Several,
                Value::Other => {}
            }
        }
        Found::Nothing
    }

    /// The body, if keys may be there.
    pub(crate) fn body(&self) -> Option<&Body> {
        self.config.key_in_body.then(|| self.body.get_or_init(|| Body::read(self.request)))
    }

    /// What stands under a name at the first place that has it at all.
    fn value(&self, name: &str) -> Value {
        if self.config.key_in_header
            && let Some(value) = self.header(name)
        {
            return value;
        }
        if self.config.key_in_query
            && let Some(value) = self.argument(name)
        {
            return value;
        }
        self.body().and_then(|body| body.value(name)).unwrap_or(Value::Other)
    }

    fn header(&self, name: &str) -> Option<Value> {
        let mut values = self.request.header_values(name);
        if values.is_empty() && name.contains('_') {
            // A name may be written with underscores, which headers hardly have.
            values = self.request.header_values(&name.replace('_', "-"));
        }
        match values.as_slice() {
            [] => None,
            [key] => Some(Value::Text(String::from_utf8_lossy(key).into_owned())),
            _ => Some(Value::Several),
        }
    }

    fn argument(&self, name: &str) -> Option<Value> {
        let query = self.query.get_or_init(|| match self.request.query() {
            Some(query) => arguments(&query),
            None => Vec::new(),
        });
        let mut values = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        let first = values.next()?;
        Some(if values.next().is_some() { Value::Several } else { Value::Text(first.clone()) })
    }
}

/// The arguments of a query or form that have a value, and be it an empty one.
fn arguments(text: &str) -> Vec<(String, String)> {
    let with_value = |part: &&str| part.contains('=');
    text.split('&').filter(with_value).flat_map(text::pairs).collect()
}
