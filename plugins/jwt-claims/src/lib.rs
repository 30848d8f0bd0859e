//! Checks the bearer token of a request and hands its claims on as headers.
//!
//! A request without a good token is answered by the plugin, with a text that says what is wrong with the
//! token. Claims of a good one become headers of the response, and of the request that goes upstream.

mod claims;
mod config;
mod key;
mod memory;
mod token;

use std::collections::BTreeMap;
use std::rc::Rc;

use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, Decision, Error, OnRequest, Plugin, Problem, Reply, Request, export, log,
};

use crate::claims::Claims;
use crate::config::Config;
use crate::token::{TokenError, Verification};

/// The plugin, prepared for one configuration.
pub struct JwtClaims {
    verification: Verification,
    /// Positions among the claims that are read, and the response headers that those claims become.
    response_headers: Vec<(usize, String)>,
    /// The same for the request that goes upstream.
    upstream_headers: Vec<(usize, String)>,
    exit_code: u16,
}

impl Plugin for JwtClaims {
    type Config = Config;
    const PRIORITY: i32 = 1450;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        config.check()?;
        let mut wanted: Vec<String> = Vec::new();
        let mut headers = |claims: &BTreeMap<String, String>| {
            let position = |(claim, header): (&String, &String)| {
                let at = wanted.iter().position(|known| *known == *claim).unwrap_or_else(|| {
                    wanted.push(claim.clone());
                    wanted.len() - 1
                });
                (at, header.clone())
            };
            claims.iter().map(position).collect()
        };
        let response_headers = headers(&config.claims);
        let upstream_headers = headers(&config.upstream_claims);
        let verification = Verification::new(&config, wanted).map_err(|problem| vec![problem])?;
        Ok(Self { verification, response_headers, upstream_headers, exit_code: config.exit_code })
    }
}

impl OnRequest for JwtClaims {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let claims = match self.claims(request) {
            Ok(claims) => claims,
            Err(error) => return Ok(self.refuse(error).into()),
        };
        for (claim, header) in &self.response_headers {
            if let Some(text) = claims.text(*claim)
                && (!survives(text) || request.set_response_header(header, text).is_err())
            {
                warn(header);
            }
        }
        for (claim, header) in &self.upstream_headers {
            if let Some(text) = claims.text(*claim) {
                if survives(text) && request.set_header(header, text).is_ok() {
                    continue;
                }
                warn(header);
            }
            // A header of that name from the client would pass for the claim.
            request.remove_header(header)?;
        }
        Ok(Decision::Continue)
    }
}

impl Admin for JwtClaims {
    const ROUTES: &'static [AdminRoute] = &[AdminRoute::get("/jwt-claims/ping")];

    fn on_admin(_request: &AdminRequest) -> Result<Reply, Error> {
        Ok(Reply::text(200, "PONG"))
    }
}

impl JwtClaims {
    fn claims(&self, request: &Request) -> Result<Rc<Claims>, TokenError> {
        // There is no second one: the gateway refuses requests with two.
        let header = request.header("authorization").ok_or(TokenError::Missing)?;
        self.verification.claims(bearer(&header).ok_or(TokenError::Missing)?)
    }

    fn refuse(&self, error: TokenError) -> Reply {
        let reply = Reply::text(self.exit_code, format!("JwtError: {error}"));
        match (self.exit_code, error) {
            (401, TokenError::Missing) => reply.header("www-authenticate", "Bearer"),
            (401, _) => reply.header("www-authenticate", "Bearer error=\"invalid_token\""),
            _ => reply,
        }
    }
}

fn warn(header: &str) {
    log::warn(&format!("the claim for `{header}` cannot be a header, it is left out"));
}

/// The token of an `Authorization` header with the scheme `Bearer`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii()).filter(|token| !token.is_empty())
}

/// Whether a text is the same after it was a header, which loses the spaces around it: ` admin` would become
/// somebody else.
fn survives(text: &str) -> bool {
    text.trim_ascii().len() == text.len()
}

export!(JwtClaims: OnRequest, Admin);

#[cfg(test)]
mod tests;
