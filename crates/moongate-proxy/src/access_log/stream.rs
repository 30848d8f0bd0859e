//! The line of a stream.

use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::time::Instant;

use super::{AccessLogFormat, LogBuffer};
use crate::tunnel::Traffic;

/// A stream that will be logged when this is dropped, if it has begun.
pub(crate) struct StreamLogging {
    buffer: Rc<LogBuffer>,
    begun: Option<(SocketAddr, &'static str)>,
    started: Instant,
    status: u16,
    traffic: Traffic,
}

impl StreamLogging {
    pub(crate) fn new(buffer: &Rc<LogBuffer>) -> Self {
        Self {
            buffer: Rc::clone(buffer),
            begun: None,
            started: Instant::now(),
            // Whatever ends a stream that nothing else is said of lies with its client.
            status: 400,
            traffic: Traffic::default(),
        }
    }

    /// The stream is that of a client, in a protocol.
    pub(crate) fn begin(&mut self, client: SocketAddr, protocol: &'static str) {
        self.begun = Some((client, protocol));
    }

    /// The stream found nowhere to go.
    pub(crate) fn failed(&mut self, status: u16) {
        self.status = status;
    }

    /// The stream was carried, and has ended.
    pub(crate) fn ended(&mut self, traffic: Traffic, status: u16) {
        self.traffic = traffic;
        self.status = status;
    }
}

impl Drop for StreamLogging {
    fn drop(&mut self) {
        let Some((client, protocol)) = self.begun else { return };
        let ip = client.ip().to_canonical();
        let Traffic { to_upstream: received, from_upstream: sent } = self.traffic;
        let (status, taken) = (self.status, self.started.elapsed());
        let format = self.buffer.format();
        self.buffer.add(|line, stamp| {
            // Writing to a vector cannot fail.
            let _ = match format {
                AccessLogFormat::Combined => {
                    let _ = write!(line, "{ip} [");
                    line.extend_from_slice(&stamp.common);
                    writeln!(line, "] {protocol} {status} {sent} {received} {:.3}", taken.as_secs_f64())
                }
                AccessLogFormat::Json => {
                    line.extend_from_slice(b"{\"time\":\"");
                    line.extend_from_slice(&stamp.iso);
                    writeln!(
                        line,
                        "\",\"client_ip\":\"{ip}\",\"protocol\":\"{protocol}\",\"status\":{status},\
                         \"bytes_sent\":{sent},\"bytes_received\":{received},\"duration_ms\":{:.3}}}",
                        taken.as_secs_f64() * 1000.0
                    )
                }
            };
        });
    }
}
