//! Lets clients in that have a signed token.
//!
//! A JSON Web Token is looked for in the query, cookies and headers. A claim of it names a row of `jwt_secrets`,
//! which has the key and belongs to a consumer.

mod claims;
mod config;
mod credential;
mod gather;
mod token;

use moongate_sdk::{
    Credential, Decision, Error, OnRequest, Plugin, Problem, Reply, Request, Schema, auth, consumers,
    context, export,
};

use crate::config::Config;
use crate::credential::{Credentials, KeyError};
use crate::token::{Key, Token};

/// The plugin, prepared for one configuration.
pub struct Jwt {
    config: Config,
    credentials: Credentials,
    /// Of requests without a token.
    challenge: String,
    /// Of requests with a bad one.
    invalid_token: String,
}

impl Plugin for Jwt {
    type Config = Config;
    const PRIORITY: i32 = 1450;
    const ENTITIES: &'static [&'static str] = &[include_str!("jwt_secrets.json")];

    fn schema() -> Schema {
        Schema::native(include_str!("schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let challenge = auth::challenge("Bearer", config.realm.as_deref());
        let invalid_token = format!("{challenge} error=\"invalid_token\"");
        let credentials = Credentials::new(config.secret_is_base64);
        Ok(Self { config, credentials, challenge, invalid_token })
    }
}

impl OnRequest for Jwt {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let config = &self.config;
        if !config.run_on_preflight && request.method() == "OPTIONS" {
            return Ok(Decision::Continue);
        }
        let anonymous = config.anonymous.as_deref();
        if auth::is_settled(request, anonymous) {
            return Ok(Decision::Continue);
        }
        Ok(match self.authenticate(request)? {
            Ok(()) => Decision::Continue,
            Err(refusal) => auth::refuse(request, anonymous, refusal),
        })
    }
}

impl Jwt {
    /// Says who sent the request, or how it is refused.
    fn authenticate(&self, request: &Request) -> Result<Result<(), Decision>, Error> {
        let mut tokens = gather::tokens(request, &self.config);
        let text = match (tokens.pop(), tokens.is_empty()) {
            (Some(text), true) => text,
            (Some(_), false) => return Ok(Err(self.bad("Multiple tokens provided"))),
            (None, _) => {
                let refusal = Decision::message(401, "Unauthorized");
                return Ok(Err(refusal.header("www-authenticate", self.challenge.as_str())));
            }
        };
        let token = match Token::parse(&text) {
            Ok(token) => token,
            Err(reason) => return Ok(Err(self.bad(&format!("Bad token; {reason}")))),
        };
        let name = self.config.key_claim_name.as_str();
        let key = match token.key(name) {
            Key::Text(key) if !key.is_empty() => key,
            Key::Text(_) => return Ok(Err(self.bad(&format!("Invalid '{name}' in claims")))),
            Key::Absent => return Ok(Err(self.bad(&format!("No mandatory '{name}' in claims")))),
            Key::Other => return Ok(Err(auth::unexpected())),
        };
        let found = self.credentials.find(key, |credential| credential.verify(&token))?;
        let (id, consumer) = match found {
            None => return Ok(Err(self.bad(&format!("No credentials found for given '{name}'")))),
            Some(Err(KeyError::Algorithm)) => return Ok(Err(self.bad("Invalid algorithm"))),
            Some(Err(KeyError::Key)) => return Ok(Err(self.bad("Invalid key/secret"))),
            Some(Err(KeyError::Signature)) => return Ok(Err(self.bad("Invalid signature"))),
            Some(Ok(owner)) => owner,
        };
        if let Err(problems) = claims::verify(&token.claims, &self.config) {
            return Ok(Err(Reply::json(401, &problems)
                .header("www-authenticate", self.invalid_token.as_str())
                .into()));
        }
        let Some(consumer) = consumers::find(&consumer) else {
            return Ok(Err(Decision::message(401, &format!("Could not find consumer for '{name}={key}'"))));
        };
        let credential = Credential { id, identifier: Some(key.to_owned()) };
        consumers::authenticate(request, Some(consumer), Some(credential));
        context::set_shared("authenticated_jwt_token", &text);
        Ok(Ok(()))
    }

    fn bad(&self, message: &str) -> Decision {
        Decision::message(401, message).header("www-authenticate", self.invalid_token.as_str())
    }
}

export!(Jwt: OnRequest);

#[cfg(test)]
mod tests;
