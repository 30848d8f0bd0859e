//! Tests that are written down as requests and what shall come of them: `tests/cases.yaml`.
//!
//! They are the same for every language, and are played through a gateway of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::trial::{Call, Received, Response, Trial, TrialError, Upstream};

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cases {
    /// The plugin's configuration, where a case has none of its own.
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    cases: Vec<Case>,
}

/// A request, and what shall come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    config: Option<Map<String, Value>>,
    /// `GET /path`, sent through the gateway.
    request: Option<String>,
    /// `GET /path`, sent to the Admin API.
    admin: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    /// What the upstream answers; otherwise 200, with the request as JSON.
    #[serde(default)]
    upstream: Option<UpstreamAnswer>,
    #[serde(default)]
    expect: Expectation,
    /// Text that must be in the message with which `config` is refused.
    refused: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UpstreamAnswer {
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What an answer must be like. What is not named may be anything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expectation {
    status: Option<u16>,
    /// With null for a header that must not be there.
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    /// Text that must be in the body.
    contains: Option<String>,
    upstream: Option<Seen>,
}

/// What the upstream must have seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// Whether the request came there at all.
    #[serde(default = "yes")]
    called: bool,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
}

fn yes() -> bool {
    true
}

/// What came of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// What was not as it must be.
    pub(crate) differences: Vec<String>,
}

/// Why there are no cases.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub(crate) struct CasesError {
    file: String,
    problem: String,
}

impl Cases {
    pub(crate) fn read(file: &Path) -> Result<Self, CasesError> {
        let wrong = |problem: String| CasesError { file: file.display().to_string(), problem };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let cases: Self = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        for case in &cases.cases {
            let kinds = [case.request.is_some(), case.admin.is_some(), case.refused.is_some()];
            if kinds.iter().filter(|kind| **kind).count() != 1 {
                let name = &case.name;
                return Err(format!("case `{name}` must have one of `request`, `admin` and `refused`"));
            }
            if let Some(line) = case.request.as_ref().or(case.admin.as_ref()) {
                request_line(line).ok_or_else(|| {
                    format!("case `{}`: `{line}` is not a method and a path, as in `GET /`", case.name)
                })?;
            }
        }
        Ok(cases)
    }

    /// The configuration of cases that have none of their own.
    pub(crate) fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// Plays the cases whose name contains `filter`.
    pub(crate) fn play(
        &self,
        trial: &Trial,
        plugin: &str,
        upstream: &Upstream,
        filter: Option<&str>,
    ) -> Vec<Outcome> {
        let mut served: Option<&Map<String, Value>> = None;
        let mut outcomes = Vec::new();
        for case in &self.cases {
            if filter.is_some_and(|filter| !case.name.contains(filter)) {
                continue;
            }
            let config = case.config.as_ref().unwrap_or(&self.config);
            let configured = if served == Some(config) {
                Ok(())
            } else {
                trial.configure(&declarative(plugin, config, &upstream.url()))
            };
            served = configured.is_ok().then_some(config);
            let differences = case.play(trial, upstream, configured);
            outcomes.push(Outcome { name: case.name.clone(), differences });
        }
        outcomes
    }
}

impl Case {
    fn play(&self, trial: &Trial, upstream: &Upstream, configured: Result<(), TrialError>) -> Vec<String> {
        let refusal = configured.err().map(|error| error.to_string());
        match (&self.refused, refusal) {
            (None, None) => {}
            (None, Some(refusal)) => return vec![refusal],
            (Some(_), None) => return vec!["the configuration is accepted".to_owned()],
            (Some(text), Some(refusal)) if refusal.contains(text) => return Vec::new(),
            (Some(text), Some(refusal)) => return vec![format!("`{text}` is not in: {refusal}")],
        }
        match &self.upstream {
            Some(answer) => {
                let answer = answer.clone();
                upstream.reply(move |_| answer.answer());
            }
            None => upstream.echo(),
        }
        upstream.take_requests();
        let line = self.request.as_ref().or(self.admin.as_ref());
        let Some((method, target)) = line.and_then(|line| request_line(line)) else { return Vec::new() };
        let mut call = Call::new(method, target);
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        if let Some(body) = &self.body {
            call = call.body(body.as_bytes());
        }
        let address = if self.admin.is_some() { trial.admin() } else { trial.proxy() };
        match call.send(address) {
            Ok(response) => {
                let mut differences = self.expect.differences(&response, &upstream.take_requests());
                if !differences.is_empty() {
                    differences.extend(failure(trial));
                }
                differences
            }
            Err(error) => vec![format!("there is no answer: {error}")],
        }
    }
}

impl UpstreamAnswer {
    fn answer(&self) -> crate::trial::Answer {
        let answer = crate::trial::Answer::new(self.status.unwrap_or(200), self.body.as_bytes());
        self.headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

impl Expectation {
    fn differences(&self, response: &Response, received: &[Received]) -> Vec<String> {
        let mut found = Differences::default();
        if let Some(status) = self.status {
            found.compare("the status", &status.to_string(), Some(&response.status().to_string()));
        }
        for (name, value) in &self.headers {
            let what = format!("the header {name}");
            found.compare_optional(&what, value.as_deref(), response.header(name).as_deref());
        }
        if let Some(body) = &self.body {
            found.compare("the body", body, Some(&response.text()));
        }
        if let Some(text) = &self.contains
            && !response.text().contains(text)
        {
            found.0.push(format!("the body has no `{text}`: {}", shortened(&response.text())));
        }
        if let Some(seen) = &self.upstream {
            seen.differences(received.last(), &mut found);
        }
        if !found.0.is_empty() && self.status.is_none_or(|status| status != response.status()) {
            let text = shortened(&response.text());
            found.0.push(format!("the answer was {}: {text}", response.status()));
        }
        found.0
    }
}

impl Seen {
    fn differences(&self, received: Option<&Received>, found: &mut Differences) {
        let Some(received) = received else {
            if self.called {
                found.0.push("the upstream was not asked".to_owned());
            }
            return;
        };
        if !self.called {
            found.0.push(format!("the upstream was asked: {} {}", received.method, received.target));
            return;
        }
        if let Some(method) = &self.method {
            found.compare("the method at the upstream", method, Some(&received.method));
        }
        if let Some(path) = &self.path {
            found.compare("the path at the upstream", path, Some(&received.target));
        }
        for (name, value) in &self.headers {
            let what = format!("the header {name} at the upstream");
            found.compare_optional(&what, value.as_deref(), received.header(name).as_deref());
        }
        if let Some(body) = &self.body {
            found.compare("the body at the upstream", body, Some(&received.text()));
        }
    }
}

/// What is not as it must be.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: &str, wanted: &str, found: Option<&str>) {
        self.compare_optional(what, Some(wanted), found);
    }

    fn compare_optional(&mut self, what: &str, wanted: Option<&str>, found: Option<&str>) {
        if wanted == found {
            return;
        }
        let shown = |value: Option<&str>| {
            value.map_or_else(|| "none".to_owned(), |value| format!("`{}`", shortened(value)))
        };
        self.0.push(format!("{what} is {}, and should be {}", shown(found), shown(wanted)));
    }
}

/// How the plugin has failed last.
fn failure(trial: &Trial) -> Option<String> {
    let status = trial.status(&trial.plugins().first()?.file)?;
    Some(format!("the plugin's last failure: {}", status.get("last_error")?.as_str()?))
}

/// Everything goes to one upstream, with the plugin on it.
pub(crate) fn declarative(plugin: &str, config: &Map<String, Value>, upstream: &str) -> Value {
    json!({
        "plugins": [{"name": plugin, "config": config}],
        "services": [{"name": "upstream", "url": upstream, "routes": [{"name": "all", "paths": ["/"]}]}],
    })
}

fn request_line(line: &str) -> Option<(&str, &str)> {
    let (method, target) = line.split_once(' ')?;
    let method = Some(method).filter(|method| !method.is_empty())?;
    Some((method, target.trim())).filter(|(_, target)| target.starts_with('/') && !target.contains(' '))
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.trim_end().chars().take(LONGEST).collect();
    if shown.len() < text.trim_end().len() {
        // Writing to a string does not fail.
        let _ = write!(shown, "… ({} bytes)", text.len());
    }
    shown
}

const LONGEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Cases::parse(text).unwrap_err()
    }

    #[test]
    fn what_makes_no_sense_is_told_with_the_case() {
        assert!(problem("cases: [{name: a, requests: GET /}]").contains("unknown field `requests`"));
        assert_eq!(
            problem("cases: [{name: both, request: GET /, admin: GET /}]"),
            "case `both` must have one of `request`, `admin` and `refused`"
        );
        assert_eq!(
            problem("cases: [{name: odd, request: /only-a-path}]"),
            "case `odd`: `/only-a-path` is not a method and a path, as in `GET /`"
        );
    }

    #[test]
    fn every_difference_is_told() {
        let text = "
cases:
- name: all
  request: GET /
  expect:
    status: 200
    headers: {x-one: '1', x-two: null}
    body: hello
    upstream: {path: /else, headers: {x-up: 'yes'}}
";
        let cases = Cases::parse(text).unwrap();
        let upstream = Upstream::start().unwrap();
        upstream.reply(|_| crate::trial::Answer::new(404, "nothing").header("x-two", "2"));
        let response = Call::new("GET", "/path").send(upstream.address()).unwrap();
        let differences = cases.cases[0].expect.differences(&response, &upstream.take_requests());
        assert_eq!(
            differences,
            [
                "the status is `404`, and should be `200`",
                "the header x-one is none, and should be `1`",
                "the header x-two is `2`, and should be none",
                "the body is `nothing`, and should be `hello`",
                "the path at the upstream is `/path`, and should be `/else`",
                "the header x-up at the upstream is none, and should be `yes`",
                "the answer was 404: nothing",
            ]
        );
    }
}
