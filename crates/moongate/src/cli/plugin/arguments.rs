//! What can be written behind `moongate plugin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::author::language::Language;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PluginCommand {
    /// Begin a plugin: a directory with its source, its contract and its tests
    #[command(after_help = NEW)]
    New(NewArguments),

    /// Build a plugin, in whatever language it is written
    #[command(after_help = BUILD)]
    Build(BuildArguments),

    /// Look whether a gateway would take a plugin: contract, imports, manifest, schema and size
    #[command(after_help = CHECK)]
    Check(CheckArguments),

    /// Show what a plugin is: its manifest, its hooks and what it imports
    #[command(after_help = INSPECT)]
    Inspect(InspectArguments),

    /// Build a plugin and play the requests of tests/cases.yaml through a gateway
    #[command(after_help = TEST)]
    Test(TestArguments),

    /// Run a gateway with this plugin alone, and build it again whenever it is saved
    #[command(after_help = RUN)]
    Run(RunArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArguments {
    /// Name of the plugin: lower-case letters, digits and dashes
    pub(super) name: String,

    /// Language that it is written in
    #[arg(short, long, value_enum, default_value = "rust")]
    pub(super) lang: Language,

    /// Directory that is made; ./NAME unless given
    #[arg(long, value_name = "DIR")]
    pub(super) into: Option<PathBuf>,

    /// Directory of the crate moongate-sdk, for plugins in Rust
    #[arg(long, value_name = "DIR")]
    pub(super) sdk: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArguments {
    /// Directory of the plugin
    #[arg(default_value = ".")]
    pub(super) directory: PathBuf,

    /// Language that it is written in; told by its files unless given
    #[arg(short, long, value_enum)]
    pub(super) lang: Option<Language>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    /// The plugin
    pub(super) file: PathBuf,

    /// What the operator would grant, separated by commas; everything that can be granted unless given
    #[arg(long, value_name = "GRANTS", value_delimiter = ',')]
    pub(super) grants: Option<Vec<String>>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectArguments {
    /// The plugin
    pub(super) file: PathBuf,

    /// As JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArguments {
    /// Play only the cases whose name contains this
    pub(super) filter: Option<String>,

    /// Directory of the plugin
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(super) directory: PathBuf,

    /// The plugin to test, which is not built then
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,

    /// Show the gateway's log
    #[arg(long)]
    pub(super) log: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArguments {
    /// Directory of the plugin, or a file that is already built
    #[arg(default_value = ".")]
    pub(super) plugin: PathBuf,

    /// Configuration of the plugin as JSON; that of tests/cases.yaml unless given
    #[arg(long, value_name = "JSON")]
    pub(super) config: Option<String>,

    /// Port of the gateway for clients; a free one unless given
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
}

const NEW: &str = "\
Examples:
  moongate plugin new hello
  moongate plugin new hello --lang js
  moongate plugin new hello --lang python --into plugins/hello";

const BUILD: &str = "\
The plugin is written to target/NAME.wasm below its directory.

Examples:
  moongate plugin build
  moongate plugin build plugins/hello";

const CHECK: &str = "\
Nothing is started and nothing is kept. The exit code is 1 when a gateway would refuse the plugin.

Examples:
  moongate plugin check target/hello.wasm
  moongate plugin check target/hello.wasm --grants kv,counters
  moongate plugin check target/hello.wasm --grants ''              grants nothing";

const INSPECT: &str = "\
Examples:
  moongate plugin inspect target/hello.wasm
  moongate plugin inspect target/hello.wasm --json";

const TEST: &str = "\
The exit code is 1 when a case is not answered as it says.

Examples:
  moongate plugin test
  moongate plugin test greeted                 the cases whose name contains `greeted`
  moongate plugin test --file target/hello.wasm";

const RUN: &str = "\
Examples:
  moongate plugin run
  moongate plugin run plugins/hello --config '{\"greeting\": \"hi\"}'
  moongate plugin run target/hello.wasm --port 8000";
