//! What of an answer is compared: without what is other each time, and without what does not count.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::case::Step;
use crate::exchange::{Answer, from_latin1};
use crate::upstream::Upstreams;

/// Makes the answers of one case comparable. Ids are numbered in the order in which they come.
pub struct Normaliser {
    nonce: String,
    uuids: Numbers,
    digests: Numbers,
    upstreams: Option<Upstreams>,
    patterns: Patterns,
}

struct Patterns {
    uuid: Regex,
    digest: Regex,
    offset: Regex,
    server: Regex,
    address: Regex,
    cookie: Regex,
    bullet: Regex,
}

/// Names for what is other each time.
struct Numbers {
    kind: &'static str,
    seen: BTreeMap<String, usize>,
}

impl Numbers {
    fn new(kind: &'static str) -> Self {
        Self { kind, seen: BTreeMap::new() }
    }

    fn name(&mut self, text: &str) -> String {
        let next = self.seen.len() + 1;
        format!("<{} {}>", self.kind, self.seen.entry(text.to_owned()).or_insert(next))
    }
}

impl Normaliser {
    /// `nonce` is a word that is new each time; `upstreams` are named where the case uses them.
    pub fn new(nonce: &str, upstreams: Option<Upstreams>) -> Self {
        let pattern = |text| Regex::new(text).unwrap();
        Self {
            nonce: nonce.to_owned(),
            uuids: Numbers::new("uuid"),
            digests: Numbers::new("hex"),
            upstreams,
            patterns: Patterns {
                uuid: pattern(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
                digest: pattern(r"\b(?:[0-9a-f]{32}|[0-9a-f]{64})\b"),
                offset: pattern(r"\boffset=[^&]+"),
                server: pattern(r"\b(?:kong|moongate)/[0-9][0-9a-zA-Z.\-]*"),
                address: pattern(r"127\.0\.0\.1:([0-9]+)"),
                cookie: pattern(r"=[^;]+"),
                bullet: pattern(r"(?m)^( *)- "),
            },
        }
    }

    /// What of `answer` is compared.
    pub fn normal(&mut self, answer: &Answer, step: &Step) -> Value {
        let masks: Vec<_> = step.mask.iter().map(|pattern| Mask::new(pattern)).collect();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            let named = name.as_str();
            let counts = HEADERS.contains(&named)
                || HEADER_FAMILIES.iter().any(|family| name.starts_with(family))
                || step.keep.contains(name);
            if !counts {
                continue;
            }
            let varies = name.ends_with("-latency")
                || RANDOM.contains(&named)
                || CLOCKS.contains(&named) && is_number(value);
            let value = match name.as_str() {
                _ if varies => "<masked>".to_owned(),
                "set-cookie" => {
                    let value = self.patterns.cookie.replace(value, "=<masked>").into_owned();
                    self.masked(&value, step, &masks)
                }
                _ => self.masked(value, step, &masks),
            };
            headers.entry(name.clone()).or_default().push(value);
        }
        let parsed = if step.as_text { None } else { serde_json::from_slice::<Value>(&answer.body).ok() };
        let mut body = match parsed {
            Some(value) => self.walk(&value, None, step, &masks),
            None => self.text(&answer.body, step, &masks),
        };
        if let (Some(keys), true) = (&step.body_keys, body.is_object()) {
            body = keys.iter().map(|key| (key.clone(), pick(&body, key))).collect::<Map<_, _>>().into();
        }
        let mut parts = json!({"status": answer.status, "headers": headers, "body": body});
        if let (Some(only), Some(parts)) = (&step.only, parts.as_object_mut()) {
            parts.retain(|part, _| only.contains(part));
        }
        parts
    }

    fn text(&mut self, body: &[u8], step: &Step, masks: &[Mask]) -> Value {
        let text = from_latin1(body);
        let Some(pattern) = &step.find else { return self.masked(&text, step, masks).into() };
        let pattern = Regex::new(&format!("(?m){pattern}")).unwrap();
        let mut found: Vec<String> = pattern
            .captures_iter(&text)
            .map(|captures| {
                let which = usize::from(captures.len() > 1);
                self.masked(captures.get(which).map_or("", |part| part.as_str()), step, masks)
            })
            .collect();
        found.sort();
        found.into()
    }

    fn walk(&mut self, value: &Value, key: Option<&str>, step: &Step, masks: &[Mask]) -> Value {
        match value {
            Value::Object(members) => {
                let counts = |name: &str, value: &Value| {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    !step.drop.iter().any(|drop| drop == name || *drop == format!("{name}={shown}"))
                };
                let members = members.iter().filter(|(name, value)| counts(name, value));
                let members: Vec<_> = members
                    .map(|(name, value)| {
                        let shown = self.masked(name, step, masks);
                        (shown, self.walk(value, Some(name), step, masks))
                    })
                    .collect();
                Value::Object(members.into_iter().collect())
            }
            Value::Array(items) if key == Some("headers") && items.iter().all(is_pair) => {
                let seen =
                    items.iter().filter(|pair| step.sees.as_ref().is_none_or(|sees| is_seen(pair, sees)));
                let seen: Vec<_> = seen
                    .map(|pair| {
                        let name = pair[0].as_str().unwrap_or_default();
                        let varies = RANDOM.contains(&name) || name == "x-forwarded-port";
                        let value = pair[1].as_str().unwrap_or_default();
                        let value =
                            if varies { "<masked>".to_owned() } else { self.masked(value, step, masks) };
                        json!([name, value])
                    })
                    .collect();
                seen.into()
            }
            Value::Array(items) => items.iter().map(|item| self.walk(item, key, step, masks)).collect(),
            Value::Number(_) if key.is_some_and(|key| TIMES.contains(&key)) => "<time>".into(),
            Value::Number(number) if self.upstreams.is_some() && number.is_u64() => {
                let named = self.masked(&number.to_string(), step, masks);
                serde_json::from_str(&named).unwrap_or_else(|_| named.into())
            }
            _ if key.is_some_and(|key| RANDOM.contains(&key)) => "<masked>".into(),
            Value::String(_) if key == Some("offset") => "<masked>".into(),
            Value::String(text) if key.is_some_and(|key| step.mask_keys.iter().any(|k| k == key)) => {
                format!("<masked {}>", text.chars().count()).into()
            }
            Value::String(text) if step.lines_as_set && text.contains('\n') => {
                let text = self.masked(text, step, masks);
                let text = self.patterns.bullet.replace_all(&text, "$1  ").into_owned();
                let mut lines: Vec<&str> = text.split('\n').collect();
                lines.sort_unstable();
                lines.into()
            }
            Value::String(text) => self.masked(text, step, masks).into(),
            other => other.clone(),
        }
    }

    fn masked(&mut self, text: &str, step: &Step, masks: &[Mask]) -> String {
        let Self { nonce, uuids, digests, upstreams, patterns } = self;
        let mut text = upstreams.as_ref().map_or_else(|| text.to_owned(), |upstreams| upstreams.name(text));
        if !step.raw_ids {
            for (pattern, numbers) in [(&patterns.uuid, uuids), (&patterns.digest, digests)] {
                text =
                    pattern.replace_all(&text, |found: &Captures<'_>| numbers.name(&found[0])).into_owned();
            }
        }
        text = text.replace(nonce.as_str(), "<nonce>");
        text = patterns.offset.replace_all(&text, "offset=<masked>").into_owned();
        for mask in masks {
            text = mask.pattern.replace_all(&text, mask.replacement).into_owned();
        }
        text = patterns.server.replace_all(&text, "<server>").into_owned();
        let address = |found: &Captures<'_>| {
            let is_upstream = found[1].len() >= 5 && found[1].starts_with("191");
            if is_upstream { found[0].to_owned() } else { "<address>".to_owned() }
        };
        patterns.address.replace_all(&text, address).into_owned()
    }
}

/// A pattern whose matches do not count. Where it begins with a look back, what is looked back at stays.
struct Mask {
    pattern: Regex,
    replacement: &'static str,
}

impl Mask {
    fn new(pattern: &str) -> Self {
        let behind = pattern.strip_prefix("(?<=").and_then(|rest| rest.split_once(')'));
        match behind {
            Some((behind, rest)) => Self {
                pattern: Regex::new(&format!("({behind}){rest}")).unwrap(),
                replacement: "${1}<masked>",
            },
            None => Self { pattern: Regex::new(pattern).unwrap(), replacement: "<masked>" },
        }
    }
}

/// What stands at a dotted place of an answer.
pub fn pick(answer: &Value, place: &str) -> Value {
    place.split('.').fold(answer, |at, key| at.get(key).unwrap_or(&Value::Null)).clone()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_pair(value: &Value) -> bool {
    matches!(value.as_array().map(Vec::as_slice), Some([Value::String(_), Value::String(_)]))
}

/// Whether a header's name matches one of `sees`, in which a star stands for anything and a bracket for one of its letters.
fn is_seen(pair: &Value, sees: &[String]) -> bool {
    let name = pair[0].as_str().unwrap_or_default();
    sees.iter().any(|wanted| {
        let pattern = wanted.replace('*', ".*");
        Regex::new(&format!("^{pattern}$")).unwrap().is_match(name)
    })
}

/// Response headers that count.
const HEADERS: [&str; 16] = [
    "content-type",
    "location",
    "www-authenticate",
    "proxy-authenticate",
    "allow",
    "retry-after",
    "vary",
    "set-cookie",
    "via",
    "age",
    "cache-control",
    "x-cache-key",
    "x-cache-status",
    "deprecation",
    "connection",
    "upgrade",
];

const HEADER_FAMILIES: [&str; 7] =
    ["access-control-", "ratelimit-", "x-ratelimit-", "x-kong-", "x-test-", "x-plugin-", "jwt-"];

/// Headers that depend on when they are sent.
const CLOCKS: [&str; 3] = ["ratelimit-reset", "retry-after", "age"];

/// Members that depend on when something was written.
const TIMES: [&str; 2] = ["created_at", "updated_at"];

/// Headers and members that are other each time.
const RANDOM: [&str; 7] = [
    "request_id",
    "x-kong-request-id",
    "x-request-id",
    "kong-request-id",
    "traceparent",
    "x-b3-traceid",
    "x-b3-spanid",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn step(fields: &Value) -> Step {
        let mut step = json!({"to": "admin"});
        step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(step).unwrap()
    }

    fn body(body: &Value, fields: &Value) -> Value {
        let answer = Answer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() };
        Normaliser::new("nabc", None).normal(&answer, &step(fields))["body"].clone()
    }

    #[test]
    fn ids_are_numbered_by_their_first_coming() {
        let ids = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
        let shown = body(&json!([ids[1], ids[0], format!("by {}", ids[1])]), &json!({}));
        assert_eq!(shown, json!(["<uuid 1>", "<uuid 2>", "by <uuid 1>"]));
        assert_eq!(body(&json!(ids[0]), &json!({"raw_ids": true})), json!(ids[0]));
    }

    #[test]
    fn what_is_other_each_time_is_masked() {
        let told = json!({"created_at": 17, "request_id": "a", "offset": "xyz", "next": "/x?offset=abc&size=1",
            "server": "moongate/0.1.0", "name": "s-nabc", "at": "127.0.0.1:8001", "up": "127.0.0.1:19101"});
        let expected = json!({"created_at": "<time>", "request_id": "<masked>", "offset": "<masked>",
            "next": "/x?offset=<masked>&size=1", "server": "<server>", "name": "s-<nonce>", "at": "<address>",
            "up": "127.0.0.1:19101"});
        assert_eq!(body(&told, &json!({})), expected);
    }

    #[test]
    fn a_mask_that_looks_back_leaves_what_it_looks_at() {
        let masked = body(&json!("log level: debug"), &json!({"mask": ["(?<=log level: )[a-z]+"]}));
        assert_eq!(masked, json!("log level: <masked>"));
    }

    #[test]
    fn keys_can_be_dropped_chosen_and_masked() {
        let told = json!({"a": {"b": 1, "c": 2}, "d": "x", "len_min": 1, "key": "secret"});
        let chosen = body(&told, &json!({"body_keys": ["a.b", "none"]}));
        assert_eq!(chosen, json!({"a.b": 1, "none": null}));
        let dropped = body(&told, &json!({"drop": ["a", "len_min=1"], "mask_keys": ["key"]}));
        assert_eq!(dropped, json!({"d": "x", "key": "<masked 6>"}));
        let other = body(&json!({"len_min": 2}), &json!({"drop": ["len_min=1"]}));
        assert_eq!(other, json!({"len_min": 2}));
    }

    #[test]
    fn of_the_headers_that_an_upstream_saw_only_those_asked_for_count() {
        let told = json!({"headers": [["x-a", "1"], ["x-b", "1"], ["x-forwarded-port", "80"], ["y", "2"]]});
        let shown = body(&told, &json!({"sees": ["x-[ac]", "x-f*"]}));
        assert_eq!(shown, json!({"headers": [["x-a", "1"], ["x-forwarded-port", "<masked>"]]}));
    }

    #[test]
    fn headers_that_do_not_count_are_left_out() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("date", "now"),
            header("x-kong-proxy-latency", "3"),
            header("set-cookie", "session=abc; Path=/"),
            header("x-mine", "1"),
        ];
        let answer = Answer { status: 200, headers, body: Vec::new() };
        let shown = Normaliser::new("nabc", None).normal(&answer, &step(&json!({"keep": ["x-mine"]})));
        let expected = json!({"x-kong-proxy-latency": ["<masked>"], "set-cookie": ["session=<masked>; Path=/"],
            "x-mine": ["1"]});
        assert_eq!(shown["headers"], expected);
    }
}
