//! What routes match on.

use regex::Regex;
use serde_json::Value;

use super::address::Host;
use super::names::escapes_are_complete;
use super::text;
use crate::Check;
use crate::path::{path_regex, resolve};

/// A host of a route: at most one label is a wildcard, and there may be a port.
pub const ROUTE_HOST: Check = Check { name: "route_host", run: route_host };

/// A path of a route: a prefix in its normal form, or a regular expression behind a `~`.
pub const ROUTER_PATH: Check = Check { name: "router_path", run: router_path };

fn route_host(value: &Value) -> Result<(), String> {
    let text = text(value);
    let mut stars = text.match_indices('*');
    let star = stars.next();
    if stars.next().is_some() {
        return Err("invalid wildcard: must have at most one wildcard".to_owned());
    }
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    if star.is_some() && !name.starts_with("*.") && !name.ends_with(".*") {
        return Err("invalid wildcard: must be placed at leftmost or rightmost label".to_owned());
    }
    match Host::parse(&text.replace('*', "any")) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn router_path(value: &Value) -> Result<(), String> {
    let text = text(value);
    if !text.starts_with('/') && !text.starts_with("~/") {
        return Err("should start with: / (fixed path) or ~/ (regex path)".to_owned());
    }
    if text.contains("//") {
        return Err("must not have empty segments".to_owned());
    }
    escapes_are_complete(text)?;
    if let Some(expression) = text.strip_prefix('~') {
        let Some(reason) = path_problem(expression) else { return Ok(()) };
        if is_unsupported(expression, &reason) {
            return Ok(());
        }
        let reason = perl_report(expression, &reason);
        return Err(format!("invalid regex: '{expression}' (PCRE returned: {reason})"));
    }
    match resolve(text) {
        Ok((normal, _)) if normal == text => Ok(()),
        Ok((normal, _)) => Err(format!("non-normalized path, consider use '{normal}' instead")),
        Err(error) => Err(format!("invalid path: '{text}' ({error})")),
    }
}

/// Why the router cannot use the path of a route, though it is right: its expression needs what the router's
/// engine does not have, or is too large for it.
pub fn unsupported_in_router(path: &str) -> Option<String> {
    path_problem(path.strip_prefix('~')?)
}

/// What is wrong with the expression of a path. It must be right by itself, not only with what anchors it.
fn path_problem(expression: &str) -> Option<String> {
    regex_problem(expression).or_else(|| path_regex(expression).err().map(|error| reason_of(&error)))
}

/// What is wrong with a regular expression for the gateway's engine.
pub fn regex_problem(expression: &str) -> Option<String> {
    Regex::new(expression).err().map(|error| reason_of(&error))
}

/// Whether a text is a regular expression, be it one that only other engines know.
pub fn is_regex(expression: &str) -> bool {
    regex_problem(expression).is_none_or(|reason| is_unsupported(expression, &reason))
}

/// The engine's report shows the expression with a marker below the mistake; the reason comes last.
fn reason_of(error: &regex::Error) -> String {
    let report = error.to_string();
    let last = report.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The report as tools know it from gateways whose engine is that of Perl, where the mistake is a common one.
fn perl_report(expression: &str, reason: &str) -> String {
    match COMMON_MISTAKES.iter().find(|(ours, _)| reason.contains(ours)) {
        Some((_, theirs)) => format!("pcre2_compile() failed: {theirs} in \"{expression}\""),
        None => reason.to_owned(),
    }
}

/// Whether an expression that the engine refuses for `reason` is right in the dialect of Perl.
fn is_unsupported(expression: &str, reason: &str) -> bool {
    UNSUPPORTED.iter().any(|feature| reason.contains(feature))
        || PERL_ONLY.iter().any(|feature| expression.contains(feature))
}

/// How the engine's reports tell expressions that it cannot run from those that are wrong.
const UNSUPPORTED: [&str; 3] = ["look-around", "backreferences", "exceeds size limit"];

/// What is only in the dialect of Perl: groups that do not give back, that reset numbers, that are comments,
/// conditions or calls, and further escapes.
const PERL_ONLY: [&str; 17] = [
    "(?>", "(?|", "(?#", "(?(", "(?R)", "(?&", "(?P>", "(?P=", "\\Z", "\\h", "\\H", "\\R", "\\X", "\\G",
    "\\K", "\\Q", "\\k<",
];

/// Parts of the engine's reports, and what the engine of Perl says instead.
const COMMON_MISTAKES: [(&str, &str); 7] = [
    ("unclosed group", "missing closing parenthesis"),
    ("unopened group", "unmatched closing parenthesis"),
    ("unclosed character class", "missing terminating ] for character class"),
    ("repetition operator missing expression", "quantifier does not follow a repeatable item"),
    ("invalid character class range", "range out of order in character class"),
    ("invalid repetition count range", "numbers out of order in {} quantifier"),
    ("incomplete escape sequence", "\\ at end of pattern"),
];
