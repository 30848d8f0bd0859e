use std::fs;
use std::path::Path;

use fastrand::Rng;

use super::*;

/// Runs of each rule with random bytes. Those that go over sockets take longer.
fn runs(target: &str) -> usize {
    if target == "requests" { 400 } else { 3000 }
}

/// What inputs of a target are made of, so that they come far enough to be interesting.
fn words(target: &str) -> &'static [&'static [u8]] {
    match target {
        "paths" => &[
            b"/",
            b".",
            b"..",
            b"%2e",
            b"%2F",
            b"%",
            b"%41",
            b"%c3%a9",
            b"a",
            b"//",
            b"%00",
            b"?",
            b"\xc3\xa9",
        ],
        "router" => &[
            b"GET ", b"POST ", b"a.test ", b"*.test ", b"a.* ", b"/a ", b"/a/b ", b"/ ", b"~/a.*$ ", b",",
            b"\n", b" ", b"~/(", b"/%41 ",
        ],
        "header_edits" => &[
            b"0x-a=1",
            b"1x-a=2",
            b"2x-a",
            b"\n",
            b"0content-length=9",
            b"1transfer-encoding=chunked",
            b"2connection",
            b"0X-B=",
            b"\r",
            b"\0",
            b"1set-cookie=a",
        ],
        "proxy_protocol" => &[
            b"PROXY ",
            b"TCP4 ",
            b"TCP6 ",
            b"UNKNOWN",
            b"192.0.2.1 ",
            b"::1 ",
            b"1 ",
            b"65535",
            b"\r\n",
            b"\r\n\r\n\0\r\nQUIT\n",
            b"\x21\x11\0\x0c",
            b"\x20\0\0\0",
            b"\0\0\0\0",
            b"\x7f\0\0\x01",
        ],
        "client_hello" => &[
            b"\x16\x03\x01\0\x40",
            b"\x16\x03\x03\0\x05",
            b"\x01\0\0\x3c",
            b"\x03\x03",
            &[7; 32],
            b"\0",
            b"\0\x02\x13\x01",
            b"\x01\0",
            b"\0\x0d\0\0\0\x09\0\x07\0\0\x04test",
            b"\x01",
        ],
        _ => &[
            b"GET / HTTP/1.1\r\n",
            b"POST /a HTTP/1.1\r\n",
            b"PUT /b?c HTTP/1.0\r\n",
            b"Host: a\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: 0\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"transfer-encoding : gzip\r\n",
            b"\r\n",
            b"\n",
            b"hello",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"0\r\nX: y\r\n\r\n",
            b"Connection: close\r\n",
            b"Expect: 100-continue\r\n",
            b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
            b" HTTP/9.9\r\n",
            b"Upgrade: websocket\r\nConnection: upgrade\r\n",
            b"fffffffffffffffff\r\n",
            b": \r\n",
            b"\0",
        ],
    }
}

fn input(random: &mut Rng, words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(1..12) {
        match random.u8(0..10) {
            0 => bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(3)),
            1 if !bytes.is_empty() => {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            2 => bytes.truncate(random.usize(..=bytes.len())),
            _ => bytes.extend_from_slice(words[random.usize(..words.len())]),
        }
    }
    bytes
}

fn check(target: &str, rule: Rule, bytes: &[u8]) {
    let result = std::panic::catch_unwind(|| rule(bytes));
    assert!(result.is_ok(), "{target} does not hold for {}", bytes.escape_ascii());
}

#[test]
fn the_rules_hold_for_the_inputs_that_are_kept() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    for (target, rule) in TARGETS {
        let kept: Vec<_> = fs::read_dir(corpus.join(target)).unwrap().flatten().collect();
        assert!(!kept.is_empty(), "nothing is kept for {target}");
        for entry in kept {
            check(target, rule, &fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn the_rules_hold_for_random_inputs() {
    for (target, rule) in TARGETS {
        let mut random = Rng::with_seed(7);
        for _ in 0..runs(target) {
            check(target, rule, &input(&mut random, words(target)));
        }
    }
}

#[test]
fn every_rule_has_a_fuzz_target() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/fuzz_targets");
    let manifest = fs::read_to_string(targets.join("../Cargo.toml")).unwrap();
    for (target, _) in TARGETS {
        let text = fs::read_to_string(targets.join(format!("{target}.rs"))).unwrap();
        assert!(text.contains(&format!("moongate_proxy::fuzz::{target}(")), "{target}");
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
    }
}
