//! Fixture: a version of one-header that does not take the configurations of the other.

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, config, export};

/// The header, under another name.
#[config]
pub struct Config {
    /// Name of the header.
    header: String,
}

/// Puts one header on the response.
pub struct OneHeader(Config);

impl Plugin for OneHeader {
    type Config = Config;
    const NAME: Option<&'static str> = Some("one-header");

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for OneHeader {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        request.set_response_header(&self.0.header, "1")?;
        Ok(Decision::Continue)
    }
}

export!(OneHeader: OnRequest);
