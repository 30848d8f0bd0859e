//! Signatures, and what they are made of.

use moongate_sdk::{Request, auth};

use crate::config::Algorithm;

/// What a client sent: `hmac username="u", algorithm="hmac-sha256", headers="date request-line", signature="..."`.
pub(crate) struct Signature<'a> {
    pub(crate) username: &'a str,
    pub(crate) algorithm: Algorithm,
    headers: &'a str,
    /// As Base64.
    pub(crate) signature: &'a str,
}

impl<'a> Signature<'a> {
    pub(crate) fn parse(value: &'a str) -> Option<Self> {
        let rest = auth::after_scheme(value, "Hmac")?.trim_start().strip_prefix("username=\"")?;
        let (username, rest) = cut(rest, "algorithm=\"")?;
        let (algorithm, rest) = cut(rest, "headers=\"")?;
        let (headers, rest) = cut(rest, "signature=\"")?;
        let (signature, _) = rest.rsplit_once('"')?;
        let algorithm = Algorithm::named(algorithm)?;
        (!username.is_empty() && !signature.is_empty()).then_some(Self {
            username,
            algorithm,
            headers,
            signature,
        })
    }

    /// Names of the headers that are signed, in their order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &'a str> {
        self.headers.split_ascii_whitespace()
    }

    /// What a client signs in a request: a line for each header, and for the names of the first line.
    pub(crate) fn text(&self, request: &Request) -> Vec<u8> {
        let mut text = Vec::new();
        for (at, header) in self.headers().enumerate() {
            if at > 0 {
                text.push(b'\n');
            }
            match header {
                "request-line" => {
                    let line = format!("{} {} HTTP/{}", request.method(), target(request), version(request));
                    text.extend(line.into_bytes());
                }
                "@request-target" => {
                    let method = request.method().to_ascii_lowercase();
                    text.extend(format!("@request-target: {method} {}", target(request)).into_bytes());
                }
                _ => {
                    text.extend(header.bytes());
                    text.push(b':');
                    let value = if header.eq_ignore_ascii_case("host") {
                        request.host().map(String::into_bytes)
                    } else {
                        request.header(header)
                    };
                    if let Some(value) = value {
                        text.push(b' ');
                        text.extend(value);
                    }
                }
            }
        }
        text
    }
}

/// What stands before the last `", <name>`, and behind it.
fn cut<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (before, behind) = text.rsplit_once(name)?;
    Some((before.trim_end().strip_suffix(',')?.strip_suffix('"')?, behind))
}

/// Path and query as the client sent them.
fn target(request: &Request) -> String {
    match request.query() {
        Some(query) => format!("{}?{query}", request.path()),
        None => request.path(),
    }
}

/// With one digit behind the dot: `2.0` for what is otherwise `2`.
fn version(request: &Request) -> String {
    let version = request.version();
    if version.contains('.') { version } else { version + ".0" }
}
