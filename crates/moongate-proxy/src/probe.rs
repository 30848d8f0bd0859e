//! Active health checks.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use moongate_balancer::{ActiveChecks, Balancer, CheckType, HealthChange, Probe, ProbeOutcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connection::connect_to;
use crate::tls::{TlsClient, UpstreamTls};
use crate::upkeep::Shared;

/// Bytes of a response that are looked at; its status is in its first line.
const STATUS_LINE: usize = 1024;

/// Makes `probes`, some at a time, and reports what they find out.
pub(crate) fn run(shared: &Arc<Shared>, balancer: &Arc<Balancer>, probes: Vec<Probe>) {
    let tasks = balancer.settings().checks.active.concurrency.clamp(1, probes.len().max(1));
    let queue = Rc::new(RefCell::new(VecDeque::from(probes)));
    for _ in 0..tasks {
        let (shared, balancer, queue) = (Arc::clone(shared), Arc::clone(balancer), Rc::clone(&queue));
        tokio::task::spawn_local(async move {
            loop {
                let next = queue.borrow_mut().pop_front();
                let Some(probe) = next else { return };
                let checks = &balancer.settings().checks.active;
                let outcome = match tokio::time::timeout(timeout(checks), once(checks, &probe, &shared)).await
                {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(error)) => {
                        tracing::debug!(address = %probe.socket, %error, "a probe failed");
                        ProbeOutcome::Failed
                    }
                    Err(_) => ProbeOutcome::TimedOut,
                };
                if let Some(change) = balancer.probed(&probe, outcome) {
                    log(&change);
                }
            }
        });
    }
}

/// Tells operators that a target's health changed.
pub(crate) fn log(change: &HealthChange) {
    let HealthChange { host, ip, port, healthy } = change;
    let word = if *healthy { "healthy" } else { "unhealthy" };
    tracing::warn!(%host, %ip, port, "a target is {word}");
}

/// A timeout of zero would fail every probe.
fn timeout(checks: &ActiveChecks) -> Duration {
    if checks.timeout.is_zero() { Duration::from_secs(1) } else { checks.timeout }
}

async fn once(checks: &ActiveChecks, probe: &Probe, shared: &Shared) -> io::Result<ProbeOutcome> {
    let mut stream = connect_to(probe.socket).await?;
    match checks.kind {
        CheckType::Tcp => Ok(ProbeOutcome::Connected),
        CheckType::Http | CheckType::Grpc | CheckType::Grpcs => ask(&mut stream, checks, &probe.host).await,
        CheckType::Https => {
            let client = TlsClient::new(UpstreamTls {
                verify: Some(checks.https_verify_certificate),
                ..UpstreamTls::default()
            });
            let name = HeaderValue::from_str(checks.https_sni.as_deref().unwrap_or(&probe.host));
            let secured = name.ok().and_then(|name| client.secure("", Some(&name)));
            let secured = secured.ok_or_else(|| io::Error::other("the target has no name for TLS"))?;
            let connector = shared.tls_clients.connector(secured.client).map_err(io::Error::other)?;
            let mut stream = connector.connect(secured.name, stream).await?;
            ask(&mut stream, checks, &probe.host).await
        }
    }
}

/// Sends a request and reads the status of its response.
async fn ask<S>(stream: &mut S, checks: &ActiveChecks, host: &str) -> io::Result<ProbeOutcome>
where
    S: AsyncReadExt + AsyncWriteExt + Unpin,
{
    stream.write_all(request(checks, host).as_bytes()).await?;
    let mut head = Vec::with_capacity(128);
    let mut part = [0; 256];
    while !head.contains(&b'\n') && head.len() < STATUS_LINE {
        let read = stream.read(&mut part).await?;
        if read == 0 {
            break;
        }
        head.extend_from_slice(part.get(..read).unwrap_or_default());
    }
    let status = status(&head).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no status line"))?;
    Ok(ProbeOutcome::Status(status))
}

fn request(checks: &ActiveChecks, host: &str) -> String {
    let mut text = format!("GET {} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n", checks.http_path);
    for (name, value) in &checks.headers {
        // Whoever configures a header must not be able to write a second one into it.
        if !name.contains(['\r', '\n']) && !value.contains(['\r', '\n']) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    text
}

/// The status in `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let version = words.next()?;
    if !version.starts_with("HTTP/") {
        return None;
    }
    words.next()?.parse().ok().filter(|status| (100..1000).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_version_and_a_status() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nServer: x"), Some(200));
        assert_eq!(status(b"HTTP/1.0 503\r\n"), Some(503));
        for wrong in ["", "HTTP/1.1", "HTTP/1.1 OK", "SSH-2.0-x 200", "HTTP/1.1 99 x", "HTTP/1.1 1000"] {
            assert_eq!(status(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn a_probe_names_the_host_and_has_the_configured_headers() {
        let checks = ActiveChecks {
            http_path: "/status?x=1".to_owned(),
            headers: vec![
                ("X-One".to_owned(), "a".to_owned()),
                ("X-One".to_owned(), "b".to_owned()),
                ("X-Bad".to_owned(), "b\r\nX-Worse: c".to_owned()),
            ],
            ..ActiveChecks::default()
        };
        assert_eq!(
            request(&checks, "a.test"),
            "GET /status?x=1 HTTP/1.0\r\nHost: a.test\r\nConnection: close\r\nX-One: a\r\nX-One: b\r\n\r\n"
        );
    }
}
