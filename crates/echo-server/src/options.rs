//! What a server is told when it starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How an echo server listens and what it shows.
///
/// The default listens on a free loopback port, shows neither environment nor files, and prints nothing, which is
/// what a test wants. The program starts from other values; see its `--help`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name or address to listen on; `0.0.0.0` for every IPv4 interface. Default `127.0.0.1`.
    pub host: String,

    /// Port to listen on; 0, the default, takes a free one.
    pub port: u16,

    /// What the `environment` section shows. Without it, which is the default, the section is left out and
    /// `echo_env_body` is ignored.
    pub environment: Option<BTreeMap<String, String>>,

    /// The directory that `echo_file` may read. Without it, which is the default, the control is ignored.
    pub file_root: Option<PathBuf>,

    /// The longest delay that a request may ask for; a longer one is shortened to this. Default 30 s.
    pub max_delay: Duration,

    /// The largest request body in bytes; a larger one is answered with 413. Also bounds the files that
    /// `echo_file` serves. Default 8 MiB.
    pub max_body: usize,

    /// How long requests in flight may take to finish after shutdown was asked for. Default 35 s, so that the
    /// longest delay still fits.
    pub drain_timeout: Duration,

    /// Whether to print a line per request to standard output. Default no.
    pub log: bool,
}

impl Options {
    /// Default of [`Options::max_body`].
    pub const MAX_BODY: usize = 8 * 1024 * 1024;
    /// Default of [`Options::max_delay`].
    pub const MAX_DELAY: Duration = Duration::from_secs(30);
    /// Default of [`Options::drain_timeout`].
    pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(35);
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            environment: None,
            file_root: None,
            max_delay: Self::MAX_DELAY,
            max_body: Self::MAX_BODY,
            drain_timeout: Self::DRAIN_TIMEOUT,
            log: false,
        }
    }
}
