//! Ports to listen on.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, bail};

/// Makes sure that each port is free, so that nothing is built for an hour before that is found out; 0 stands for any
/// free one.
///
/// # Errors
///
/// Names the first port that is taken and the flag that chooses another.
pub(crate) fn choose<const N: usize>(wanted: [(&str, u16); N]) -> Result<[u16; N]> {
    let mut flags = BTreeMap::new();
    // All are held until the last is chosen, or a free one could be given out twice.
    let mut held = Vec::new();
    let mut chosen = [0; N];
    for ((flag, port), slot) in wanted.into_iter().zip(&mut chosen) {
        if port != 0
            && let Some(other) = flags.insert(port, flag)
        {
            bail!("{other} and {flag} are both {port}");
        }
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                bail!("port {port} is taken; choose another with {flag} PORT, or a free one with {flag} 0");
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot listen on port {port} ({flag})"));
            }
        };
        *slot = listener.local_addr().context("a listener has no address")?.port();
        held.push(listener);
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_reported_with_its_flag() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = choose([("--admin-port", 0), ("--proxy-port", port)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "port {port} is taken; choose another with --proxy-port PORT, or a free one with --proxy-port 0"
            )
        );
    }

    #[test]
    fn a_port_taken_on_every_interface_is_taken() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        assert!(choose([("--echo-port", listener.local_addr().unwrap().port())]).is_err());
    }

    #[test]
    fn one_port_cannot_serve_twice() {
        let [free] = choose([("--a", 0)]).unwrap();
        let error = choose([("--proxy-port", free), ("--echo-port", free)]).unwrap_err();
        assert_eq!(error.to_string(), format!("--proxy-port and --echo-port are both {free}"));
    }

    #[test]
    fn free_ports_differ() {
        let [one, other] = choose([("--a", 0), ("--b", 0)]).unwrap();
        assert_ne!(one, other);
    }
}
