//! The requests that the demo shows.

use anyhow::{Result, ensure};

use crate::http::{self, Answer};
use crate::token;

/// A request, and what should come back.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) title: &'static str,
    port: u16,
    path: &'static str,
    token: Option<String>,
    status: u16,
    body: Option<&'static str>,
    header: Option<(&'static str, &'static str)>,
}

impl Trial {
    pub(crate) fn all(proxy: u16, admin: u16, secret: &str) -> Result<[Self; 5]> {
        let token = |lifetime| token::signed(secret, &token::claims(USERNAME, lifetime)?);
        let plain = |title, path| Self {
            title,
            port: proxy,
            path,
            token: None,
            status: 200,
            body: None,
            header: None,
        };
        let secure = |title| plain(title, "/secure");
        Ok([
            plain("A route without plugins: the echo server shows what it received.", "/echo"),
            Self {
                status: 401,
                body: Some("JwtError: no bearer token"),
                ..secure("A route that needs a token, without one.")
            },
            Self {
                token: Some(token(-HOUR)?),
                status: 401,
                body: Some("JwtError: token expired"),
                ..secure("The same with a token that has expired.")
            },
            Self {
                token: Some(token(DAY)?),
                header: Some(("JWT-username", USERNAME)),
                ..secure(
                    "The same with a good token: its claim `username` comes back as the header JWT-username.",
                )
            },
            Self {
                port: admin,
                body: Some("PONG"),
                ..plain("An endpoint that the plugin adds to the Admin API.", "/jwt-claims/ping")
            },
        ])
    }

    /// The request as one would type it.
    pub(crate) fn command(&self) -> String {
        let header = self.token.as_ref().map(|token| format!("-H 'Authorization: Bearer {token}' "));
        format!("curl -i {}http://127.0.0.1:{}{}", header.unwrap_or_default(), self.port, self.path)
    }

    pub(crate) fn send(&self) -> Result<Answer> {
        let value = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let header = value.as_deref().map(|value| ("authorization", value));
        http::get(self.port, self.path, header.as_slice())
    }

    pub(crate) fn check(&self, answer: &Answer) -> Result<()> {
        ensure!(
            answer.status == self.status,
            "the status should be {} and is {}",
            self.status,
            answer.status
        );
        if let Some(body) = self.body {
            ensure!(answer.body.trim_end() == body, "the body should be `{body}` and is `{}`", answer.body);
        }
        if let Some((name, value)) = self.header {
            let found = answer.header(name);
            ensure!(
                found == Some(value),
                "the header {name} should be {value} and is {}",
                found.unwrap_or("missing")
            );
        }
        Ok(())
    }
}

const USERNAME: &str = "MichalJeczalik";
const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_come_in_the_order_in_which_they_are_explained() {
        let trials = Trial::all(8000, 8001, "secret").unwrap();
        let shown = trials.each_ref().map(|trial| (trial.path, trial.status, trial.token.is_some()));
        let expected = [
            ("/echo", 200, false),
            ("/secure", 401, false),
            ("/secure", 401, true),
            ("/secure", 200, true),
            ("/jwt-claims/ping", 200, false),
        ];
        assert_eq!(shown, expected);
        assert_eq!(trials[0].command(), "curl -i http://127.0.0.1:8000/echo");
        assert!(trials[3].command().starts_with("curl -i -H 'Authorization: Bearer ey"));
        assert_eq!(trials[4].command(), "curl -i http://127.0.0.1:8001/jwt-claims/ping");
    }
}
