//! Checks the bearer token of a request and hands its claims on as headers.
//!
//! A request without a good token is answered by the plugin, with a text that says what is wrong with the
//! token. Claims of a good one become headers of the response, and of the request that goes upstream.

mod claims;
mod config;
mod token;

use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, Decision, Error, OnRequest, Plugin, Problem, Reply, Request, export, log,
};

use crate::claims::Claims;
use crate::config::Config;
use crate::token::{TokenError, Verification};

/// The plugin, prepared for one configuration.
pub struct JwtClaims {
    verification: Verification,
    /// Claims and the response headers that they become.
    response_headers: Vec<(String, String)>,
    /// Claims and the headers that they become in the request that goes upstream.
    upstream_headers: Vec<(String, String)>,
    /// The claims to read, each once.
    wanted: Vec<String>,
    exit_code: u16,
}

impl Plugin for JwtClaims {
    type Config = Config;
    const PRIORITY: i32 = 1450;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        config.check()?;
        let mut wanted: Vec<_> = config.claims.keys().chain(config.upstream_claims.keys()).cloned().collect();
        wanted.sort();
        wanted.dedup();
        Ok(Self {
            verification: Verification::new(&config).map_err(|problem| vec![problem])?,
            response_headers: config.claims.into_iter().collect(),
            upstream_headers: config.upstream_claims.into_iter().collect(),
            wanted,
            exit_code: config.exit_code,
        })
    }
}

impl OnRequest for JwtClaims {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let claims = match self.claims(request) {
            Ok(claims) => claims,
            Err(error) => return Ok(self.refuse(error).into()),
        };
        for (claim, header) in &self.response_headers {
            if let Some(value) = claims.text(claim)
                && request.set_response_header(header, value.as_bytes()).is_err()
            {
                log::warn(&format!("claim `{claim}` cannot be a header, it is left out"));
            }
        }
        for (claim, header) in &self.upstream_headers {
            // A header of that name from the client would pass for a claim, so it goes in any case.
            let set = match claims.text(claim) {
                Some(value) => request.set_header(header, value.as_bytes()),
                None => request.remove_header(header),
            };
            if set.is_err() {
                log::warn(&format!("claim `{claim}` cannot be a header, it is left out"));
                request.remove_header(header)?;
            }
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
    fn claims(&self, request: &Request) -> Result<Claims, TokenError> {
        let header = request.header("authorization").ok_or(TokenError::Missing)?;
        let token = bearer(&header).ok_or(TokenError::Missing)?;
        self.verification.claims(token, &self.wanted)
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

/// The token of an `Authorization` header with the scheme `Bearer`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii()).filter(|token| !token.is_empty())
}

export!(JwtClaims: OnRequest, Admin);

#[cfg(test)]
mod tests;
