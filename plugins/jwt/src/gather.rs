//! Where tokens are.

use moongate_sdk::{Request, auth};

use crate::config::Config;

/// The distinct tokens of a request.
pub(crate) fn tokens(request: &Request, config: &Config) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut add = |token: &str| {
        if !token.is_empty() && !tokens.iter().any(|known| known == token) {
            tokens.push(token.to_owned());
        }
    };
    if !config.uri_param_names.is_empty() {
        for (name, value) in request.query_pairs() {
            if config.uri_param_names.contains(&name) {
                add(&value);
            }
        }
    }
    if !config.cookie_names.is_empty() {
        let cookies = request.cookies();
        for name in &config.cookie_names {
            // Of several cookies of one name the first counts.
            if let Some((_, value)) = cookies.iter().find(|(known, _)| known == name) {
                add(value);
            }
        }
    }
    for name in &config.header_names {
        if let Some(value) = request.header_text(name)
            && let Some(token) = bearer(&value)
        {
            add(token);
        }
    }
    tokens
}

fn bearer(value: &str) -> Option<&str> {
    let rest = auth::after_scheme(value, "Bearer")?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim())
}
