//! Lets consumers in by their groups.
//!
//! Who the client is an authentication plugin has said before. The groups are rows of `acls`, or those that such a
//! plugin shared under `authenticated_groups`, a JSON list, where there is no consumer or no credential.

use moongate_sdk::{
    Decision, Error, OnRequest, Plugin, Problem, Request, Schema, config, context, entities, export,
    serde_json,
};
use serde::Deserialize;

/// Who may pass; `schema.json` says what each of these means.
#[config]
pub struct Config {
    /// Groups whose members may pass.
    pub allow: Option<Vec<String>>,
    /// Groups whose members may not pass.
    pub deny: Option<Vec<String>>,
    /// Whether the upstream gets no header with the groups.
    #[serde(default)]
    pub hide_groups_header: bool,
    /// Whether groups that another plugin found out go before those of the consumer.
    #[serde(default)]
    pub always_use_authenticated_groups: bool,
}

/// The plugin, prepared for one configuration.
pub struct Acl(Config);

impl Plugin for Acl {
    type Config = Config;
    const PRIORITY: i32 = 950;
    const ENTITIES: &'static [&'static str] = &[include_str!("acls.json")];

    fn schema() -> Schema {
        Schema::native(include_str!("schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for Acl {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let consumer = request.consumer();
        let has_credential = request.credential().is_some();
        let is_nobodys = consumer.is_none() || !has_credential;
        let shared =
            if is_nobodys || self.0.always_use_authenticated_groups { authenticated_groups() } else { None };
        let (header, other, groups) = match (shared, consumer) {
            (Some(groups), _) => (AUTHENTICATED, CONSUMERS, groups),
            (None, Some(consumer)) => (CONSUMERS, AUTHENTICATED, groups_of(&consumer.id)?),
            (None, None) => return Ok(unknown(has_credential)),
        };
        if groups.is_empty() && self.0.allow.is_some() {
            return Ok(unknown(has_credential));
        }
        if !self.lets_pass(&groups) {
            return Ok(Decision::fail(403, FORBIDDEN));
        }
        // A client could name groups of its own.
        request.remove_header(other)?;
        if self.0.hide_groups_header {
            request.remove_header(header)?;
        } else {
            request.set_header(header, groups.join(", "))?;
        }
        Ok(Decision::Continue)
    }
}

impl Acl {
    fn lets_pass(&self, groups: &[String]) -> bool {
        let any_in = |list: &Vec<String>| groups.iter().any(|group| list.contains(group));
        match (&self.0.allow, &self.0.deny) {
            (Some(allow), _) => any_in(allow),
            (None, Some(deny)) => !any_in(deny),
            (None, None) => false,
        }
    }
}

/// Refuses a client of whom no groups are known.
fn unknown(has_credential: bool) -> Decision {
    if has_credential { Decision::fail(403, FORBIDDEN) } else { Decision::fail(401, "Unauthorized") }
}

fn groups_of(consumer: &str) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Row {
        group: String,
    }
    let rows: Vec<Row> = entities::referring("acls", "consumer", consumer)?;
    Ok(rows.into_iter().map(|row| row.group).collect())
}

fn authenticated_groups() -> Option<Vec<String>> {
    serde_json::from_slice(&context::get_shared("authenticated_groups")?).ok()
}

const CONSUMERS: &str = "x-consumer-groups";
const AUTHENTICATED: &str = "x-authenticated-groups";
const FORBIDDEN: &str = "You cannot consume this service";

export!(Acl: OnRequest);

#[cfg(test)]
mod tests;
