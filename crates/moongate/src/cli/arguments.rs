//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::plugin::PluginCommand;
use crate::properties::Sources;

/// An API gateway whose plugins are WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "moongate", version, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the gateway and stay in the foreground
    ///
    /// Logs to standard error, and prints the addresses to standard output when requests are served. SIGHUP
    /// reads the declarative configuration again. SIGTERM or SIGINT let the requests in flight finish; a
    /// second one ends at once.
    #[command(after_help = START)]
    Start(PropertyArguments),

    /// Look whether a gateway would start: properties, declarative configuration and plugins
    ///
    /// Nothing is listened on, and a running gateway is not disturbed.
    #[command(after_help = CHECK)]
    Check(CheckArguments),

    /// Print the version
    #[command(after_help = VERSION)]
    Version(VersionArguments),

    /// Ask the running gateway whether it is well
    #[command(after_help = HEALTH)]
    Health(PropertyArguments),

    /// Make the running gateway read its declarative configuration again
    ///
    /// Properties stay as they are until the next start. A configuration that is wrong changes nothing: this
    /// prints what is wrong with it, and requests are served as before.
    #[command(after_help = RELOAD)]
    Reload(PropertyArguments),

    /// Stop the running gateway, and let its requests finish
    #[command(after_help = QUIT)]
    Quit(QuitArguments),

    /// Prepare the database that the properties name
    #[command(subcommand, after_help = MIGRATIONS)]
    Migrations(MigrationsCommand),

    /// Check, import and export declarative configurations
    #[command(subcommand, after_help = CONFIG)]
    Config(ConfigCommand),

    /// Write, build, check, test and try plugins
    #[command(subcommand, after_help = PLUGIN)]
    Plugin(PluginCommand),

    /// Stop the running gateway at once, without waiting for its requests
    #[command(after_help = STOP)]
    Stop(PropertyArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum MigrationsCommand {
    /// Make the tables in an empty database
    Bootstrap(PropertyArguments),
    /// Bring a database of an older version up to date
    Up(PropertyArguments),
    /// Print the steps, and which of them the database has
    List(PropertyArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a sample; a file that is there already is left alone
    Init {
        /// Where to
        #[arg(default_value = "kong.yml")]
        file: PathBuf,
    },
    /// Look whether a declarative configuration is right, without loading it
    Parse {
        /// The declarative configuration
        file: PathBuf,
        #[command(flatten)]
        properties: PropertyArguments,
    },
    /// Bring what a declarative configuration declares into the database; nothing is deleted
    #[command(name = "db_import")]
    DbImport {
        /// The declarative configuration
        file: PathBuf,
        #[command(flatten)]
        properties: PropertyArguments,
    },
    /// Write what is in the database as a declarative configuration; a file that is there already is left alone
    #[command(name = "db_export")]
    DbExport {
        /// Where to
        #[arg(default_value = "kong.yml")]
        file: PathBuf,
        #[command(flatten)]
        properties: PropertyArguments,
    },
}

impl MigrationsCommand {
    pub(super) fn sources(&self) -> Sources {
        let (Self::Bootstrap(properties) | Self::Up(properties) | Self::List(properties)) = self;
        properties.clone().sources()
    }
}

/// Where properties come from.
#[derive(Debug, Clone, Args)]
pub(super) struct PropertyArguments {
    /// File with the properties; without it ./moongate.yaml, ./config/moongate.yaml or
    /// /etc/moongate/moongate.yaml, the first that is there
    #[arg(short, long, value_name = "FILE")]
    conf: Option<PathBuf>,

    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Overrides {
    /// Set a property, over file and environment; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,

    /// Directory of the gateway's own files, short for --set prefix=DIR
    #[arg(short, long, value_name = "DIR")]
    prefix: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// File with the properties; without it ./moongate.yaml, ./config/moongate.yaml or
    /// /etc/moongate/moongate.yaml, the first that is there
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// The same, as other commands take it
    #[arg(short, long, value_name = "FILE", conflicts_with = "file")]
    conf: Option<PathBuf>,

    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Args)]
pub(super) struct VersionArguments {
    /// Print also the version of Kong whose Admin API is spoken
    #[arg(short, long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct QuitArguments {
    #[command(flatten)]
    pub(super) properties: PropertyArguments,

    /// Seconds to wait for requests to finish; then the gateway is stopped without them. Its own
    /// shutdown_timeout counts as well
    #[arg(short, long, value_name = "SECONDS", default_value_t = 40)]
    pub(super) timeout: u64,
}

impl PropertyArguments {
    pub(super) fn sources(self) -> Sources {
        self.overrides.sources(self.conf)
    }
}

impl CheckArguments {
    pub(super) fn sources(self) -> Sources {
        self.overrides.sources(self.file.or(self.conf))
    }
}

impl Overrides {
    fn sources(self, file: Option<PathBuf>) -> Sources {
        let mut settings = self.set;
        settings.extend(self.prefix.map(|prefix| format!("prefix={prefix}")));
        Sources { file, settings, ..Sources::of_process() }
    }
}

const EXIT_CODES: &str = "\
Exit codes: 0, done; 1, not done, and standard error says why; 2, the command line makes no sense.

`moongate help start` lists the properties.";

const START: &str = "\
Examples:
  moongate start                                  with the properties file that is found
  moongate start -c /etc/moongate/moongate.yaml
  moongate start --set declarative_config=kong.yaml --set plugin_dirs=./plugins
  moongate start --set 'proxy_listen=0.0.0.0:80, [::]:80' --set workers=2
  MOONGATE_LOG_LEVEL=debug moongate start";

const CHECK: &str = "\
Examples:
  moongate check
  moongate check /etc/moongate/moongate.yaml
  moongate check --set declarative_config=new-kong.yaml";

const VERSION: &str = "\
Examples:
  moongate version
  moongate version --all";

const HEALTH: &str = "\
Examples:
  moongate health
  moongate health --prefix /var/lib/moongate";

const RELOAD: &str = "\
Examples:
  moongate reload
  moongate check && moongate reload";

const QUIT: &str = "\
Examples:
  moongate quit
  moongate quit --timeout 5
  moongate quit --prefix /var/lib/moongate";

const MIGRATIONS: &str = "\
Examples:
  moongate migrations bootstrap --set database=postgres --set pg_host=db.internal
  moongate migrations list";

const CONFIG: &str = "\
Examples:
  moongate config init
  moongate config parse kong.yml
  moongate config db_import kong.yml --set database=postgres
  moongate config db_export backup.yml --set database=sqlite";

const PLUGIN: &str = "\
Examples:
  moongate plugin new hello --lang js
  moongate plugin run plugins/hello
  moongate plugin check plugins/hello/target/hello.wasm";

const STOP: &str = "\
Examples:
  moongate stop
  moongate stop --prefix /var/lib/moongate";
