//! The values of a request that templates may have.

use moongate_sdk::{Captures, Request, context};

use crate::arguments::Arguments;
use crate::template::{Source, Table, Value};

/// Fetches what templates ask for.
pub(crate) struct RequestValues<'r, 'h> {
    request: &'r Request<'h>,
    query: Option<Arguments>,
    captures: Option<Captures>,
}

impl<'r, 'h> RequestValues<'r, 'h> {
    pub(crate) fn new(request: &'r Request<'h>) -> Self {
        Self { request, query: None, captures: None }
    }
}

impl Source for RequestValues<'_, '_> {
    fn member(&mut self, table: Table, key: &str) -> Value {
        let text = match table {
            Table::Headers => {
                let name = key.to_ascii_lowercase().replace('_', "-");
                self.request.header(&name).map(|value| String::from_utf8_lossy(&value).into_owned())
            }
            Table::QueryParams => {
                let query = || Arguments::parse(&self.request.query().unwrap_or_default());
                match self.query.get_or_insert_with(query).first(key) {
                    Some(None) => return Value::Boolean(true),
                    value => value.flatten().map(str::to_owned),
                }
            }
            Table::UriCaptures => {
                let captures = self.captures.get_or_insert_with(|| self.request.captures());
                let position = key.parse().ok().and_then(|position| captures.position(position));
                captures.name(key).or(position).map(str::to_owned)
            }
            Table::Shared => {
                context::get_shared(key).map(|value| String::from_utf8_lossy(&value).into_owned())
            }
        };
        text.map_or(Value::Nil, Value::Text)
    }
}
