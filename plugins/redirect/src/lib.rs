//! Sends clients elsewhere.

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Reply, Request, Schema, config, export};

/// Where clients are sent to.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Status of the response.
    #[serde(default = "moved")]
    status_code: u16,
    /// The URL.
    location: String,
    /// Whether path and query of the request take the place of those in `location`.
    #[serde(default)]
    keep_incoming_path: bool,
}

/// See the crate's description.
pub struct Redirect(Config);

impl Plugin for Redirect {
    type Config = Config;
    const PRIORITY: i32 = 779;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for Redirect {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let Config { status_code, location, keep_incoming_path } = &self.0;
        let location = if *keep_incoming_path {
            with_path(location, &request.path(), request.query().as_deref())
        } else {
            location.clone()
        };
        Ok(Reply::new(*status_code).header("location", location).body("redirecting").into())
    }
}

/// A URL with another path and query; what is behind `#` stays.
fn with_path(url: &str, path: &str, query: Option<&str>) -> String {
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, fragment)| (url, Some(fragment)));
    let authority = url.find("//").map_or(0, |at| at + 2);
    let behind = url.get(authority..).unwrap_or_default();
    let end = authority + behind.find(['/', '?']).unwrap_or(behind.len());
    let mut whole = url.get(..end).unwrap_or(url).to_owned();
    whole.push_str(path);
    for (mark, part) in [('?', query), ('#', fragment)] {
        if let Some(part) = part {
            whole.push(mark);
            whole.push_str(part);
        }
    }
    whole
}

fn moved() -> u16 {
    301
}

export!(Redirect: OnRequest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_of_the_request_take_the_place_of_those_in_the_location() {
        for (url, query, expected) in [
            ("https://new.test/base?z=9", Some("q=1"), "https://new.test/x%20y?q=1"),
            ("https://new.test/base?z=9", None, "https://new.test/x%20y"),
            ("https://new.test:8443", None, "https://new.test:8443/x%20y"),
            ("https://new.test?z=9#part", Some(""), "https://new.test/x%20y?#part"),
            ("http://[::1]/a/b#part", None, "http://[::1]/x%20y#part"),
        ] {
            assert_eq!(with_path(url, "/x%20y", query), expected, "{url}");
        }
    }
}
