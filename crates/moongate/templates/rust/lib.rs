//! {{name}}: greets the upstream of each request, and its client.

use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, Decision, Error, OnRequest, OnResponse, Plugin, Problem, Reply, Request,
    Response, config, export,
};

/// What is said.
#[config]
pub struct Config {
    /// The greeting.
    #[serde(default = "good_day")]
    greeting: String,
}

fn good_day() -> String {
    "good day".to_owned()
}

/// The plugin, made once for each configuration.
pub struct {{Name}}(Config);

impl Plugin for {{Name}} {
    type Config = Config;
    /// The higher runs earlier.
    const PRIORITY: i32 = 800;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for {{Name}} {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        request.set_header("x-greeting", &self.0.greeting)?;
        Ok(Decision::Continue)
    }
}

impl OnResponse for {{Name}} {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        response.set_header("x-{{name}}", &self.0.greeting)?;
        Ok(())
    }
}

impl Admin for {{Name}} {
    const ROUTES: &'static [AdminRoute] = &[AdminRoute::get("/{{name}}/ping")];

    fn on_admin(_request: &AdminRequest) -> Result<Reply, Error> {
        Ok(Reply::text(200, "PONG"))
    }
}

export!({{Name}}: OnRequest, OnResponse, Admin);

#[cfg(test)]
mod tests;
