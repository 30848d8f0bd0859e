//! `cargo xtask docs`

mod reference;
mod wit;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::output::say;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Change nothing, and fail when a page is not up to date
    #[arg(long)]
    check: bool,
}

/// Writes the pages that are made from other files.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let (page, text) = (page(workspace), text(workspace)?);
    if fs::read_to_string(&page).is_ok_and(|there| there == text) {
        say!("{} is up to date", workspace.relative(&page).display());
        return Ok(());
    }
    if args.check {
        bail!("{} is not up to date; `cargo xtask docs` writes it", workspace.relative(&page).display());
    }
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))?;
    say!("{} written", workspace.relative(&page).display());
    Ok(())
}

fn page(workspace: &Workspace) -> PathBuf {
    workspace.root.join("docs/plugins/reference.md")
}

/// The reference as the contract has it.
fn text(workspace: &Workspace) -> Result<String> {
    let mut items = Vec::new();
    for name in FILES {
        let file = workspace.root.join("wit").join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        items.extend(wit::parse(&text).with_context(|| format!("cannot make sense of {}", file.display()))?);
    }
    Ok(reference::page(&items))
}

/// The files of the contract, in the order of the reference.
const FILES: [&str; 7] =
    ["world.wit", "lifecycle.wit", "hooks.wit", "http.wit", "context.wit", "log.wit", "capabilities.wit"];

const EXAMPLES: &str = "\
Examples:
  cargo xtask docs            writes docs/plugins/reference.md from wit/
  cargo xtask docs --check";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_up_to_date() {
        let workspace = Workspace::load().unwrap();
        let there = fs::read_to_string(page(&workspace)).unwrap();
        let text = text(&workspace).unwrap();
        let differs = there.lines().zip(text.lines()).find(|(one, other)| one != other);
        assert!(there == text, "run `cargo xtask docs`; the first difference is {differs:?}");
    }

    #[test]
    fn every_file_of_the_contract_is_in_the_reference() {
        let workspace = Workspace::load().unwrap();
        for entry in fs::read_dir(workspace.root.join("wit")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(FILES.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn the_bounds_of_plugins_are_those_in_the_code() {
        let workspace = Workspace::load().unwrap();
        let read = |path: &str| fs::read_to_string(workspace.root.join(path)).unwrap();
        let (code, page) =
            (read("crates/moongate-plugin-host/src/settings.rs"), read("docs/plugins/security.md"));
        let mut bounds = 0;
        for line in code.lines().filter_map(|line| line.trim().strip_prefix("pub(crate) const ")) {
            let (name, value) = (line.split(':').next().unwrap(), line.split('=').nth(1).unwrap());
            let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
            let value: u64 = value.trim_end_matches(';').split('*').map(number).product();
            let row = page.lines().find(|row| row.ends_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("{name} is not in docs/plugins/security.md"));
            let shown = row.split('|').nth(3).unwrap().trim().replace(',', "");
            let (number, unit) = shown.split_once(' ').unwrap_or((&shown, ""));
            let unit = match unit {
                "MiB" => 1024 * 1024,
                "KiB" => 1024,
                _ => 1,
            };
            assert_eq!(number.parse::<u64>().unwrap() * unit, value, "{name} in docs/plugins/security.md");
            bounds += 1;
        }
        assert!(bounds > 10, "settings.rs has another form than this test knows");
    }

    #[test]
    fn every_page_with_an_example_in_rust_is_compiled() {
        let workspace = Workspace::load().unwrap();
        let compiled = ["crates/moongate-sdk/src/lib.rs", "crates/moongate-testing/src/lib.rs"]
            .map(|file| fs::read_to_string(workspace.root.join(file)).unwrap())
            .concat();
        let directory = workspace.root.join("docs/plugins");
        let pages = ["", "hooks", "capabilities"].iter().flat_map(|below| {
            fs::read_dir(directory.join(below)).unwrap().map(|entry| entry.unwrap().path())
        });
        let mut examples = 0;
        for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
            if fs::read_to_string(&page).unwrap().contains("```rust\n") {
                let name = page.strip_prefix(&directory).unwrap().display().to_string();
                assert!(
                    compiled.contains(&format!("/docs/plugins/{name}\"")),
                    "{name} is not compiled by any crate"
                );
                examples += 1;
            }
        }
        assert!(examples > 15, "{examples}");
    }
}
