//! Headers that rules speak of.

use moongate_sdk::{Error, HeaderError, Request, check_header_name};

use crate::rules::{Fields, Rules};

/// The names of all headers that rules speak of, each once, in lower case.
///
/// Those that frame the message or belong to one connection are the gateway's: rules that speak of them change nothing.
#[derive(Debug, Default)]
pub(crate) struct HeaderNames(Vec<String>);

/// Those of the headers of a request that rules speak of.
#[derive(Debug)]
pub(crate) struct Headers<'a>(Vec<Header<'a>>);

#[derive(Debug)]
struct Header<'a> {
    name: &'a str,
    values: Vec<Vec<u8>>,
    is_changed: bool,
}

impl HeaderNames {
    pub(crate) fn of(rules: &Rules) -> Self {
        let assigned = rules.replace.iter().chain(&rules.add).chain(&rules.append);
        let renamed = rules.rename.iter().flat_map(|(old, new)| [old, new]);
        let mut names: Vec<String> = rules
            .remove
            .iter()
            .chain(renamed)
            .chain(assigned.map(|assigned| &assigned.name))
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names.retain(|name| check_header_name(name) != Err(HeaderError::Forbidden));
        Self(names)
    }

    /// Fetches their values: all headers at once when that is cheaper.
    pub(crate) fn fetch<'a>(&'a self, request: &Request) -> Headers<'a> {
        let header = |name: &'a String, values| Header { name, values, is_changed: false };
        if self.0.len() < MANY {
            return Headers(self.0.iter().map(|name| header(name, request.header_values(name))).collect());
        }
        let mut headers = Headers(self.0.iter().map(|name| header(name, Vec::new())).collect());
        for (name, value) in request.headers() {
            if let Ok(at) = headers.place(&name)
                && let Some(header) = headers.0.get_mut(at)
            {
                header.values.push(value);
            }
        }
        headers
    }
}

impl Headers<'_> {
    /// Hands what was changed over to the request.
    pub(crate) fn write(self, request: &Request) -> Result<(), Error> {
        for Header { name, values, .. } in self.0.into_iter().filter(|header| header.is_changed) {
            let mut values = values.into_iter();
            match values.next() {
                None => request.remove_header(name)?,
                Some(first) => request.set_header(name, first)?,
            }
            for value in values {
                request.add_header(name, value)?;
            }
        }
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|header| header.name.cmp(name))
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        if let Ok(at) = self.place(name)
            && let Some(header) = self.0.get_mut(at)
        {
            change(&mut header.values);
            header.is_changed = true;
        }
    }
}

impl Fields for Headers<'_> {
    fn has(&self, name: &str) -> bool {
        let found = self.place(name).ok().and_then(|at| self.0.get(at));
        found.is_some_and(|header| !header.values.is_empty())
    }

    fn remove(&mut self, name: &str) {
        if self.has(name) {
            self.change(name, Vec::clear);
        }
    }

    fn rename(&mut self, old: &str, new: &str) {
        if old == new || !self.has(old) {
            return;
        }
        let mut values = Vec::new();
        if old == "host" {
            // There is always one.
            values.extend(
                self.place(old)
                    .ok()
                    .and_then(|at| self.0.get(at))
                    .into_iter()
                    .flat_map(|host| host.values.clone()),
            );
        } else {
            self.change(old, |old| values = std::mem::take(old));
        }
        self.change(new, |new| *new = values);
    }

    fn set(&mut self, name: &str, value: &str) {
        self.change(name, |values| *values = vec![value.as_bytes().to_vec()]);
    }

    fn append(&mut self, name: &str, value: &str) {
        self.change(name, |values| values.push(value.as_bytes().to_vec()));
    }
}

/// From so many names on all headers are fetched at once.
const MANY: usize = 6;
