//! `moongate start`

use std::net::SocketAddr;

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::say;
use crate::properties::{Listener, Properties, Sources};
use crate::{Gateway, logging};

pub(super) fn run(sources: &Sources) -> anyhow::Result<()> {
    let loaded = Properties::load(sources)?;
    logging::start(&loaded.properties);
    match &loaded.file {
        Some(file) => tracing::info!(file = %file.display(), "properties read"),
        None => tracing::info!("no properties file, defaults are used"),
    }
    raise_descriptor_limit();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot watch for signals")?;
    // Before the addresses are printed: whoever waits for them may send a signal right after.
    let mut signals = runtime.block_on(async { Signals::watch() }).context("cannot watch for signals")?;
    let gateway = Gateway::start(loaded.properties, Some(THIS_PROGRAM.into()))?;
    announce(&gateway);
    runtime.block_on(signals.serve(&gateway));
    tracing::info!("stopping: requests in flight may finish, a second signal ends at once");

    let timeout = gateway.properties().shutdown_timeout;
    let (done, finished) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = done.send(gateway.shutdown());
    });
    let finished = runtime.block_on(async {
        tokio::select! {
            finished = finished => finished.ok(),
            () = signals.end() => None,
        }
    });
    match finished {
        Some(true) => Ok(()),
        Some(false) => bail!(
            "requests were still running after {} s and have been cut off; `shutdown_timeout` is the property",
            timeout.as_secs_f32()
        ),
        None => bail!("ended at once by a second signal; requests have been cut off"),
    }
}

/// This program, also when its file was replaced or removed meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// The signals that are listened to.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    reopen: Signal,
}

impl Signals {
    fn watch() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            reopen: signal(SignalKind::user_defined1())?,
        })
    }

    /// Reloads at each SIGHUP, begins logs anew at each SIGUSR1; returns when the gateway shall end.
    async fn serve(&mut self, gateway: &Gateway) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => {}
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.reopen.recv() => {
                    gateway.reopen_logs();
                    continue;
                }
            }
            tracing::info!("SIGHUP, the configuration is read again");
            tokio::select! {
                // The control thread logs what came of it.
                _ = gateway.reload() => {}
                () = self.end() => return,
            }
        }
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn announce(gateway: &Gateway) {
    let properties = gateway.properties();
    let streams: Vec<_> = gateway.stream_addresses().iter().map(SocketAddr::to_string).collect();
    let streams = match streams.as_slice() {
        [] => String::new(),
        streams => format!("\n  streams    {}", streams.join(", ")),
    };
    say(&format!(
        "Moongate {} started\n  proxy      {}{streams}\n  Admin API  {}\n  console    {}\n  status     {}",
        crate::VERSION,
        urls(gateway.proxy_addresses(), &properties.proxy_listen),
        urls(gateway.admin_addresses(), &properties.admin_listen),
        urls(gateway.console_addresses(), &properties.admin_gui_listen),
        urls(gateway.status_addresses(), &properties.status_listen)
    ));
}

/// Where one can connect to, as was asked for by `listeners`.
fn urls(addresses: &[SocketAddr], listeners: &[Listener]) -> String {
    let urls: Vec<_> = addresses
        .iter()
        .zip(listeners)
        .map(|(address, listener)| format!("{}://{address}", if listener.tls { "https" } else { "http" }))
        .collect();
    if urls.is_empty() { "off".to_owned() } else { urls.join(", ") }
}

/// Takes as many descriptors as the process may have: each connection needs one, and its upstream another.
fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) }
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "the number of connections stays limited as `ulimit -n` says");
    }
}
