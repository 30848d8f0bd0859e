//! Lets clients in that have a user name and a password.
//!
//! They are looked for in `Proxy-Authorization` and then in `Authorization`, and belong to a row of
//! `basicauth_credentials`, which belongs to a consumer. The row has the password's hash, with the consumer's id for
//! a salt: the gateway puts it there when the row is written.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use moongate_sdk::crypto::{self, Hash};
use moongate_sdk::entities::{self, LookupError, Reference};
use moongate_sdk::{
    Credential, Decision, Error, OnRequest, Plugin, Problem, Request, Schema, auth, config, export,
};
use serde::Deserialize;

/// What clients are told; `schema.json` says what each of these means.
#[config]
pub struct Config {
    /// Id or username of the consumer that clients without a good password are.
    pub anonymous: Option<String>,
    /// Whether the upstream gets the request without the user name and password.
    #[serde(default)]
    pub hide_credentials: bool,
    /// The realm that clients without a good password are told.
    #[serde(default = "service")]
    pub realm: String,
}

/// The plugin, prepared for one configuration.
pub struct BasicAuth {
    config: Config,
    challenge: String,
}

impl Plugin for BasicAuth {
    type Config = Config;
    const PRIORITY: i32 = 1100;
    const ENTITIES: &'static [&'static str] = &[include_str!("basicauth_credentials.json")];

    fn schema() -> Schema {
        Schema::native(include_str!("schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let challenge = auth::challenge("Basic", Some(&config.realm));
        Ok(Self { config, challenge })
    }
}

impl OnRequest for BasicAuth {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let anonymous = self.config.anonymous.as_deref();
        if auth::is_settled(request, anonymous) {
            return Ok(Decision::Continue);
        }
        match self.credential(request)? {
            Some((row, password)) if is_password(&row, &password) => {
                let credential = Credential { id: row.id, identifier: Some(row.username) };
                Ok(auth::accept(request, &row.consumer.id, credential))
            }
            _ => {
                let refusal =
                    Decision::fail(401, "Unauthorized").header("www-authenticate", self.challenge.as_str());
                Ok(auth::refuse(request, anonymous, refusal))
            }
        }
    }
}

impl BasicAuth {
    /// The row of the first header that names a user who is known, and the password in that header.
    fn credential(&self, request: &Request) -> Result<Option<(Row, Vec<u8>)>, Error> {
        for header in ["proxy-authorization", "authorization"] {
            let Some(value) = request.header_text(header) else { continue };
            if self.config.hide_credentials {
                request.remove_header(header)?;
            }
            if let Some((username, password)) = parse(&value)
                && let Some(row) = find(&username)?
            {
                return Ok(Some((row, password)));
            }
        }
        Ok(None)
    }
}

/// What matters of a row of `basicauth_credentials`.
#[derive(Deserialize)]
struct Row {
    id: String,
    username: String,
    password: String,
    consumer: Reference,
}

fn find(username: &str) -> Result<Option<Row>, LookupError> {
    entities::find("basicauth_credentials", "username", username)
}

/// The user name, up to the first colon, and the password.
fn parse(header: &str) -> Option<(String, Vec<u8>)> {
    let pair = BASE64.decode(auth::after_scheme(header, "Basic")?.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let username = std::str::from_utf8(pair.get(..colon)?).ok()?.to_owned();
    Some((username, pair.get(colon + 1..)?.to_vec()))
}

fn is_password(row: &Row, password: &[u8]) -> bool {
    let mut hash = String::with_capacity(40);
    for byte in crypto::digest(Hash::Sha1, [password, row.consumer.id.as_bytes()].concat()) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    crypto::equal(hash.as_bytes(), row.password.as_bytes())
}

fn service() -> String {
    "service".into()
}

/// Clients leave the padding out at times.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

export!(BasicAuth: OnRequest);

#[cfg(test)]
mod tests;
