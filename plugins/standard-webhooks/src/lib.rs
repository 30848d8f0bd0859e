//! Lets webhooks through that are signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moongate_sdk::crypto::{self, Hash};
use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, Schema, clock, config, export};

/// Which webhooks are good.
#[config]
#[derive(Clone)]
pub struct Config {
    /// The secret that messages are signed with, as it is.
    secret_v1: String,
    /// Seconds that may have passed since a message was sent.
    #[serde(default = "five_minutes")]
    tolerance_second: u64,
}

/// See the crate's description.
pub struct StandardWebhooks(Config);

impl Plugin for StandardWebhooks {
    type Config = Config;
    const PRIORITY: i32 = 760;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for StandardWebhooks {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        // What is wrong is not told: whoever guesses is not to be helped.
        Ok(if self.is_good(request) { Decision::Continue } else { Decision::fail(400, "Bad request") })
    }
}

impl StandardWebhooks {
    fn is_good(&self, request: &Request) -> bool {
        let header = |name| request.header_text(name).filter(|value| !value.is_empty());
        let (Some(id), Some(timestamp), Some(signature)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return false;
        };
        let Ok(sent) = timestamp.trim().parse::<u64>() else { return false };
        if clock::now().as_secs().saturating_sub(sent) > self.0.tolerance_second {
            return false;
        }
        let Ok(body) = request.body(LARGEST) else { return false };
        if body.is_empty() {
            return false;
        }
        let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &body].concat();
        let expected =
            format!("v1,{}", STANDARD.encode(crypto::hmac(Hash::Sha256, &self.0.secret_v1, message)));
        crypto::equal(expected.as_bytes(), signature.as_bytes())
    }
}

fn five_minutes() -> u64 {
    300
}

/// Bytes of a body whose signature is looked at.
const LARGEST: u64 = 8 * 1024 * 1024;

export!(StandardWebhooks: OnRequest);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moongate_sdk::export::configure;
    use moongate_sdk::testing::{Gateway, RawRequest};

    use super::*;

    /// Whether a webhook is let through that was signed with `d2Vic2VjcmV0`, after so many seconds.
    fn passes(headers: &[(&str, &str)], body: &str, seconds: u64) -> bool {
        let gateway = Gateway::new();
        gateway.set_time(Duration::from_secs(1_700_000_000 + seconds));
        let plugin: StandardWebhooks = configure(r#"{"secret_v1": "d2Vic2VjcmV0", "tolerance_second": 10}"#)
            .unwrap_or_else(|_| panic!("refused"));
        let request = headers
            .iter()
            .fold(RawRequest::new("POST", "/"), |request, (name, value)| request.with_header(name, value))
            .with_body(body);
        match plugin.on_request(&request.as_request()).unwrap() {
            Decision::Continue => true,
            refused => {
                assert_eq!(refused, Decision::fail(400, "Bad request"));
                false
            }
        }
    }

    const HEADERS: [(&str, &str); 3] = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1700000000"),
        ("webhook-signature", "v1,LXUeFKlASLs29CmJgETfxf0jM1AM50GLUrmZ01f2bNs="),
    ];

    #[test]
    fn a_signed_webhook_is_let_through_in_time() {
        assert!(passes(&HEADERS, "{\"a\":1}", 10));
        assert!(!passes(&HEADERS, "{\"a\":1}", 11));
    }

    #[test]
    fn a_webhook_that_is_not_as_it_was_signed_is_refused() {
        assert!(!passes(&HEADERS, "{\"a\":2}", 0));
        assert!(!passes(&HEADERS, "", 0));
        for missing in 0..3 {
            let mut headers = HEADERS.to_vec();
            headers.remove(missing);
            assert!(!passes(&headers, "{\"a\":1}", 0), "{missing}");
        }
        for (changed, value) in [(0, "msg_2"), (1, "1700000001"), (1, "soon"), (2, "v1,"), (2, "v2,x")] {
            let mut headers = HEADERS.to_vec();
            headers[changed].1 = value;
            assert!(!passes(&headers, "{\"a\":1}", 0), "{value}");
        }
    }
}
