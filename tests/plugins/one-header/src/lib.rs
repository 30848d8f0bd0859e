//! Fixture: puts one header on the response, the smallest plugin that does something.

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, config, export};

/// The header.
#[config]
pub struct Config {
    /// Name of the header.
    #[serde(default = "name")]
    name: String,
    /// Value of the header.
    #[serde(default = "value")]
    value: String,
}

fn name() -> String {
    "x-one-header".into()
}

fn value() -> String {
    // Tests change these digits in the built file to make other versions of the plugin.
    "version-marker-0000".into()
}

/// Puts one header on the response.
pub struct OneHeader(Config);

impl Plugin for OneHeader {
    type Config = Config;
    const PRIORITY: i32 = 800;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for OneHeader {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        request.set_response_header(&self.0.name, &self.0.value)?;
        Ok(Decision::Continue)
    }
}

export!(OneHeader: OnRequest);
