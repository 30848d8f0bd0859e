//! The ports that the page names, and those that are free.

use std::net::TcpListener;

use regex::{Captures, Regex};

/// Which real port stands for which of the page.
pub struct Ports(Vec<(String, String)>);

impl Ports {
    /// Takes a free port for each that has none.
    pub fn choose(named: &[(u16, Option<u16>)]) -> Self {
        // All are held until the last is chosen, so that they are different.
        let held: Vec<_> = named.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let real = held.iter().zip(named).map(|(held, (named, real))| {
            let free = held.local_addr().unwrap().port();
            (named.to_string(), real.unwrap_or(free).to_string())
        });
        Self(real.collect())
    }

    /// What is run, with the real ports.
    pub fn reach(&self, text: &str) -> String {
        exchange(text, self.0.iter().map(|(named, real)| (named.as_str(), real.as_str())).collect())
    }

    /// What was printed, with the ports of the page.
    pub fn name(&self, text: &str) -> String {
        exchange(text, self.0.iter().map(|(named, real)| (real.as_str(), named.as_str())).collect())
    }
}

fn exchange(text: &str, ports: Vec<(&str, &str)>) -> String {
    let number = Regex::new(r"\b[0-9]{4,5}\b").unwrap();
    let other = |found: &Captures<'_>| {
        let port = ports.iter().find(|(from, _)| *from == &found[0]);
        port.map_or_else(|| found[0].to_owned(), |(_, to)| (*to).to_owned())
    };
    number.replace_all(text, other).into_owned()
}

#[test]
fn ports_are_exchanged_where_they_stand_alone() {
    let ports = Ports(vec![("8000".into(), "41234".into())]);
    assert_eq!(ports.reach("http://127.0.0.1:8000/x?n=80001"), "http://127.0.0.1:41234/x?n=80001");
    assert_eq!(ports.name("on 41234, not 141234"), "on 8000, not 141234");
}
