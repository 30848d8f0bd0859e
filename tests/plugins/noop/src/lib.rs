//! Fixture: a request hook that does nothing. What a call of it costs is what any call costs.

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, config, export};

/// There is nothing to configure.
#[config]
pub struct Config {}

/// Does nothing.
pub struct Noop;

impl Plugin for Noop {
    type Config = Config;

    fn new(_config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }
}

impl OnRequest for Noop {
    fn on_request(&self, _request: &Request) -> Result<Decision, Error> {
        Ok(Decision::Continue)
    }
}

export!(Noop: OnRequest);
