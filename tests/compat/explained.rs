//! What the gateway says of a request is what it does with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::{Case, Listener, Mode, Step};
use crate::exchange::{Answer, Request, from_latin1};
use crate::harness::Setup;
use crate::player::Player;
use crate::upstream::Upstreams;

#[test]
fn an_explained_request_takes_the_route_that_was_named() {
    compare(Mode::Dbless, "traditional_compatible", 250);
}

#[test]
fn an_explained_request_takes_the_expression_that_was_named() {
    compare(Mode::Expressions, "expressions", 35);
}

/// Explains and sends the requests of all cases about routes, of which there are at least `least`.
fn compare(mode: Mode, flavour: &str, least: usize) {
    let setup = Setup::new().property("database: 'off'").property(&format!("router_flavor: {flavour}"));
    let gateway = setup.property("allow_debug_header: on").plugins(&[]).over_tls().start();
    let player = Player::new(gateway, Upstreams::start());
    let is_wanted = |case: &Case| case.mode == mode && case.file.starts_with("router");
    let (mut explained, mut complaints) = (0, Vec::new());
    for case in Case::all().into_iter().filter(is_wanted) {
        let words = BTreeMap::from([("nonce".to_owned(), "explained".to_owned())]);
        player.configure(&case, &words).unwrap();
        for (at, step) in case.steps.iter().enumerate() {
            let step = player.step(&case, step, &words);
            let mut request = player.request(&step);
            let Some(question) = question(&request, &step) else { continue };
            let said = player.admin("POST", "/moongate/explain", Some(&question));
            assert_eq!(said.status, 200, "{question}: {}", String::from_utf8_lossy(&said.body));
            let said: Value = serde_json::from_slice(&said.body).unwrap();
            let head = request.bytes.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
            request.bytes.splice(head..head, *b"Kong-Debug: 1\r\n");
            let answer = player.deliver(&request, &step).unwrap();
            complaints.extend(
                difference(&said, &answer).map(|what| format!("{} {at}: {what}\n    {said}", case.name)),
            );
            explained += 1;
        }
    }
    assert!(explained >= least, "only {explained} requests were explained");
    assert!(complaints.is_empty(), "{} of {explained}:\n{}", complaints.len(), complaints.join("\n"));
    println!("{explained} requests went where they were said to go");
}

/// What to ask about a request. Nothing where it cannot be asked, because JSON is Unicode and the request is not.
fn question(request: &Request, step: &Step) -> Option<Value> {
    let text = std::str::from_utf8(&request.bytes).ok()?;
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).unwrap().1.trim();
    let url = match (step.to, target.starts_with('/')) {
        (Listener::Tls, _) => format!("https://{host}{target}"),
        (_, true) => format!("http://{host}{target}"),
        (_, false) => target.to_owned(),
    };
    let headers: Vec<_> = headers.iter().map(|(name, value)| [name.trim(), value.trim()]).collect();
    Some(json!({"method": method, "url": url, "headers": headers, "server_name": step.sni}))
}

/// Where an answer is not what was said.
fn difference(said: &Value, answer: &Answer) -> Option<String> {
    let header =
        |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
    let route = header("kong-route-id");
    if let Some(refusal) = said["refusal"].as_object() {
        let is_refused = refusal["status"] == answer.status && route.is_none();
        return (!is_refused).then(|| format!("it is answered with {} on route {route:?}", answer.status));
    }
    if route != said["matched"]["route"]["id"].as_str() || route.is_none() {
        return Some(format!("it takes the route {:?}", header("kong-route-name")));
    }
    // What the upstream got, where it said so.
    let got: Value = serde_json::from_slice(&answer.body).ok()?;
    let uri = got["uri"].as_str()?;
    let named = said["upstream"]["uri"].as_str().unwrap_or_default();
    let path = named.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    let path = from_latin1(path.as_bytes());
    let pairs = got["headers"].as_array()?;
    let host = pairs.iter().find(|pair| pair[0] == "host").map(|pair| &pair[1]);
    if host != Some(&said["upstream"]["host_header"]) {
        return Some(format!("the upstream is asked for the host {host:?}"));
    }
    (uri != path).then(|| format!("the upstream is asked for {uri}"))
}
