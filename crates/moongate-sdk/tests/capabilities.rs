//! The fakes keep what the contract promises.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::time::Duration;

use serde_json::json;

use moongate_sdk::counters::{Counter, Redis, RedisSettings};
use moongate_sdk::crypto::{Algorithm, Hash, Verifier};
use moongate_sdk::entities::{LookupError, Reference};
use moongate_sdk::http_client::{ClientError, Incoming, Outgoing};
use moongate_sdk::metrics::Kind;
use moongate_sdk::testing::{Gateway, RawRequest, RawResponse};
use moongate_sdk::{
    BodyError, BodyView, Captures, Consumer, Credential, Decision, Met, ParseError, Plugin, Problem, Reply,
    Source, config, consumers, counters, crypto, entities, kv, log, metrics, secrets,
};

#[config]
struct Config {}

struct Keys;

impl Plugin for Keys {
    type Config = Config;
    const ENTITIES: &'static [&'static str] = &[r#"{"name": "keys", "fields": [
        {"id": {"type": "string"}}, {"key": {"type": "string", "unique": true}}, {"note": {"type": "string"}},
        {"consumer": {"type": "foreign", "reference": "consumers"}}
    ]}"#];

    fn new(_config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Row {
    id: String,
    consumer: Reference,
}

fn row(id: &str, consumer: &str) -> Row {
    Row { id: id.into(), consumer: Reference { id: consumer.into() } }
}

#[test]
fn rows_are_found_by_unique_fields_and_references_only() {
    let gateway = Gateway::of::<Keys>();
    gateway.add_row("keys", json!({ "id": "a", "key": "k", "consumer": { "id": "1" } }));
    gateway.add_row("keys", json!({ "id": "b", "key": "l", "consumer": { "id": "1" } }));
    assert_eq!(entities::find("keys", "key", "k"), Ok(Some(row("a", "1"))));
    assert_eq!(entities::find("keys", "id", "b"), Ok(Some(row("b", "1"))));
    assert_eq!(entities::find::<Row>("keys", "key", "m"), Ok(None));
    assert_eq!(entities::referring("keys", "consumer", "1"), Ok(vec![row("a", "1"), row("b", "1")]));
    assert_eq!(entities::referring::<Row>("keys", "consumer", "2"), Ok(vec![]));
    assert_eq!(entities::find::<Row>("keys", "note", "k"), Err(LookupError::UnknownField));
    assert_eq!(entities::referring::<Row>("keys", "key", "1"), Err(LookupError::UnknownField));
    assert_eq!(entities::find::<Row>("locks", "key", "k"), Err(LookupError::UnknownEntity));
    assert!(matches!(entities::find::<u8>("keys", "key", "k"), Err(LookupError::Unreadable(_))));
    gateway.remove_row("keys", "a");
    assert_eq!(entities::find::<Row>("keys", "key", "k"), Ok(None));
}

#[test]
fn a_row_is_gone_when_its_time_is_over() {
    let gateway = Gateway::of::<Keys>();
    gateway.set_time(Duration::from_secs(100));
    gateway.add_row(
        "keys",
        json!({ "id": "a", "key": "k", "ttl": 5, "created_at": 100, "consumer": { "id": "1" } }),
    );
    assert!(entities::find::<Row>("keys", "key", "k").unwrap().is_some());
    gateway.advance(Duration::from_secs(5));
    assert!(entities::find::<Row>("keys", "key", "k").unwrap().is_none());
    assert!(entities::referring::<Row>("keys", "consumer", "1").unwrap().is_empty());
}

#[test]
fn counters_end_with_their_time_and_those_of_redis_are_apart() {
    let gateway = Gateway::new();
    gateway.set_time(Duration::from_secs(10));
    let counter = [Counter::new("a", 11_000)];
    let names = ["a".to_owned(), "b".to_owned()];
    assert_eq!((counters::add(&counter, 2), counters::add(&counter, 3)), (vec![2], vec![5]));
    assert_eq!(counters::read(&names), [5, 0]);
    let redis = Redis::open(RedisSettings::new("redis.test"));
    assert_eq!(redis.read(&names).unwrap(), [0, 0]);
    assert_eq!(redis.add(&counter, 1).unwrap(), [1]);
    gateway.fail_redis(Some("no route"));
    assert_eq!(
        (redis.read(&names), redis.add(&counter, 1)),
        (Err("no route".into()), Err("no route".into()))
    );
    gateway.fail_redis(None);
    gateway.advance(Duration::from_secs(1));
    assert_eq!((counters::read(&names), redis.read(&names).unwrap()), (vec![0, 0], vec![0, 0]));
    assert_eq!(counters::add(&[Counter::new("a", 12_000)], 1), [1]);
}

#[test]
fn kept_values_end_with_their_time_and_have_a_limit() {
    let gateway = Gateway::new();
    gateway.set_time(Duration::from_secs(10));
    assert!(kv::set("a", "1", Some(Duration::from_millis(500))));
    assert!(!kv::add("a", "2", None));
    assert_eq!(kv::get("a").unwrap(), b"1");
    gateway.advance(Duration::from_millis(500));
    assert_eq!(kv::get("a"), None);
    assert!(kv::add("a", "2", None));
    assert!(!kv::set("b", vec![0; 16 * 1024 * 1024], None));
    assert_eq!((kv::get("a").unwrap(), kv::get("b")), (b"2".to_vec(), None));
    kv::delete("a");
    assert_eq!(kv::get("a"), None);
}

#[test]
fn answers_come_in_their_order_and_requests_are_recorded() {
    let gateway = Gateway::new();
    gateway.answer(Ok(Incoming {
        status: 200,
        headers: vec![("x".into(), b"1".to_vec())],
        body: b"[1]".to_vec(),
    }));
    gateway.answer(Err(ClientError::Timeout));
    let answer = Outgoing::post("http://a.test/").json(&[1]).header("x", "y").send().unwrap();
    assert_eq!((answer.header("X"), answer.json::<Vec<u8>>().unwrap()), (Some(&b"1"[..]), vec![1]));
    assert_eq!(Outgoing::get("http://b.test/").send(), Err(ClientError::Timeout));
    assert!(matches!(Outgoing::get("http://c.test/").send(), Err(ClientError::Unreachable(_))));
    let sent = gateway.sent();
    assert_eq!((sent.len(), sent[0].method.as_str(), sent[0].body.as_slice()), (3, "POST", &b"[1]"[..]));
}

#[test]
fn measurements_are_kept_by_name_and_labels() {
    let gateway = Gateway::new();
    metrics::describe("p_seconds", Kind::Histogram(vec![0.1]), "Time.");
    metrics::describe("p_seconds", Kind::Counter, "Something else.");
    metrics::record("p_seconds", &[("route", "r"), ("code", "200")], 0.5);
    metrics::record("p_seconds", &[("code", "200"), ("route", "r")], 0.7);
    metrics::set("p_gauge", &[], 1.0);
    metrics::set("p_gauge", &[], 2.0);
    assert_eq!(gateway.recorded("p_seconds", &[("route", "r"), ("code", "200")]), [0.5, 0.7]);
    assert_eq!(gateway.recorded("p_seconds", &[]), [] as [f64; 0]);
    assert_eq!(gateway.recorded("p_gauge", &[]), [2.0]);
    assert_eq!(gateway.described("p_seconds"), Some(Kind::Histogram(vec![0.1])));
}

#[test]
fn a_new_gateway_knows_nothing_of_the_last_one() {
    let gateway = Gateway::new();
    gateway.add_secret("{vault://env/a}", "s");
    gateway.add_consumer(Consumer { id: "1".into(), ..Consumer::default() });
    assert_eq!(secrets::get("{vault://env/a}").unwrap(), "s");
    kv::set("a", "1", None);
    log::warn("careful");
    assert_eq!(gateway.log_lines().len(), 1);
    let gateway = Gateway::new();
    assert!(secrets::get("{vault://env/a}").is_err());
    assert_eq!((consumers::find("1"), kv::get("a"), gateway.log_lines().len()), (None, None, 0));
}

#[test]
fn hashes_and_signatures_are_real() {
    // From RFC 4231, second case, and the empty text.
    let hmac = crypto::hmac(Hash::Sha256, "Jefe", "what do ya want for nothing?");
    assert_eq!(hmac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    assert_eq!(crypto::digest(Hash::Sha1, "")[..4], [0xda, 0x39, 0xa3, 0xee]);
    let verifier = Verifier::secret(Algorithm::Hs256, "Jefe").unwrap();
    assert!(verifier.verify(b"what do ya want for nothing?", &hmac));
    assert!(!verifier.verify(b"what do ya want for something?", &hmac));
    assert!(Verifier::secret(Algorithm::Rs256, "Jefe").is_err());
    assert!(Verifier::public_key(Algorithm::Hs256, "").is_err());
    assert!(Verifier::public_key(Algorithm::Es256, "no key").is_err());
    assert!(crypto::equal(b"ab", b"ab") && !crypto::equal(b"ab", b"ac") && !crypto::equal(b"ab", b"abc"));
    for name in ["HS256", "RS384", "PS512", "ES512", "EdDSA"] {
        assert_eq!(Algorithm::named(name).unwrap().name(), name);
    }
    assert_eq!(Algorithm::named("none"), None);
}

#[test]
fn a_body_is_read_whole_or_not_at_all() {
    let request = RawRequest::new("POST", "/")
        .with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .with_body("a=1&a=%20");
    let request_form = request.as_request();
    assert_eq!(request_form.body(9).unwrap(), b"a=1&a=%20");
    assert_eq!(request_form.body(8), Err(BodyError::TooLarge));
    assert_eq!(request_form.form_body(9).unwrap(), [("a".into(), "1".into()), ("a".into(), " ".into())]);
    assert!(matches!(request_form.json_body::<Vec<u8>>(9), Err(ParseError::Invalid(_))));
    request_form.set_body("[1,2]");
    assert_eq!(request_form.json_body::<Vec<u8>>(9), Ok(vec![1, 2]));
    let broken = RawRequest::new("POST", "/").with_body_error(BodyError::Broken);
    assert_eq!(broken.as_request().json_body::<u8>(9), Err(ParseError::Body(BodyError::Broken)));
}

#[test]
fn facts_of_a_request_are_those_that_the_test_gave() {
    let captures = Captures { positional: vec!["a".into()], named: vec![("n".into(), "b".into())] };
    let raw = RawRequest::get("/x?q=1&q=2&e")
        .with_header("cookie", "a=1; b=2")
        .with_header("cookie", "c=3")
        .with_captures(captures)
        .with_entity(Met::Route, &json!({ "id": "r" }))
        .with_upstream("u")
        .with_client(None, Some(Credential::default()));
    let request = raw.as_request();
    assert_eq!(
        (request.query_value("q").unwrap(), request.query_value("e").unwrap()),
        ("1".into(), String::new())
    );
    assert_eq!(request.query_pairs().len(), 3);
    assert_eq!((request.cookie("c").unwrap(), request.cookies().len()), ("3".into(), 3));
    assert_eq!((request.captures().position(1), request.captures().name("n")), (Some("a"), Some("b")));
    assert_eq!((request.captures().position(0), request.captures().position(2)), (None, None));
    assert_eq!(
        (request.entity(Met::Route).unwrap(), request.entity(Met::Service)),
        (r#"{"id":"r"}"#.into(), None)
    );
    assert!(request.set_upstream("u") && !request.set_upstream("v"));
    assert!(request.set_path("/y") && !request.set_path("y") && !request.set_method("no method"));
    assert!(!request.set_scheme("ftp") && request.set_query_pairs([("a", "b c")]));
    assert!(request.set_log_field("a.b", &[1]));
    let outcome = raw.outcome();
    assert_eq!(
        (outcome.upstream.as_deref(), outcome.path.as_deref(), outcome.method),
        (Some("u"), Some("/y"), None)
    );
    assert_eq!(
        (outcome.log_fields.get("a.b"), request.query().unwrap()),
        (Some(&json!([1])), "a=b+c".into())
    );
}

#[test]
fn a_response_leads_to_its_request() {
    let request = RawRequest::get("/x");
    let raw = RawResponse::to(&request, 200).with_source(Source::Gateway);
    let response = raw.as_response();
    response.request().set_response_header("x-a", "1").unwrap();
    assert_eq!(
        (response.source(), request.response_header("x-a").unwrap()),
        (Source::Gateway, b"1".to_vec())
    );
    response.watch_body(BodyView::Whole(10));
    response.set_body("new");
    assert_eq!((raw.watched_body(), raw.new_body().unwrap()), (Some(BodyView::Whole(10)), b"new".to_vec()));
}

#[test]
fn a_header_goes_to_whatever_answers() {
    assert_eq!(Decision::Continue.header("x", "1"), Decision::Continue);
    let Decision::Fail(failure) = Decision::fail(401, "no").header("x", "1") else { panic!("no failure") };
    assert_eq!(failure.headers, [("x".to_owned(), b"1".to_vec())]);
    let Decision::Respond(reply) = Decision::from(Reply::json(200, &[1])).header("x", "1") else {
        panic!("no reply")
    };
    assert_eq!((reply.headers.len(), reply.body.as_slice()), (2, &b"[1]"[..]));
}
