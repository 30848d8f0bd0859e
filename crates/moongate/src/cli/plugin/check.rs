//! `moongate plugin check`

use std::path::Path;

use anyhow::bail;
use moongate_plugin_host::{Capability, Grants, InspectError, Inspection, PluginHost};

use super::arguments::CheckArguments;
use crate::catalog;
use crate::cli::{Several, say};

pub(super) fn run(arguments: &CheckArguments) -> anyhow::Result<()> {
    let file = &arguments.file;
    let grants = match &arguments.grants {
        Some(names) => grants(names)?,
        None => Grants::all(),
    };
    let inspection = inspect(file, &grants)?;
    let mut problems = Vec::new();
    if let Err(error) = catalog::understand(&inspection.schema) {
        problems
            .push(format!("{}: the schema of the configuration is not understood: {error}", file.display()));
    }
    for (number, entity) in inspection.entities.iter().enumerate() {
        if let Err(error) = catalog::understand_entity(entity) {
            let name = entity.get("name").and_then(|name| name.as_str());
            let name = name.map_or_else(|| format!("number {}", number + 1), |name| format!("`{name}`"));
            problems.push(format!(
                "{}: the schema of the entity {name} is not understood: {error}",
                file.display()
            ));
        }
    }
    problems.extend(contradictions(&inspection).map(|problem| format!("{}: {problem}", file.display())));
    if !problems.is_empty() {
        return Err(Several(problems).into());
    }
    let granted: Vec<_> = inspection.capabilities.iter().map(|capability| capability.name()).collect();
    let granted = if granted.is_empty() { "nothing".to_owned() } else { granted.join(", ") };
    say(&format!(
        "{}: {} {} is a good plugin; it has to be granted {granted}",
        file.display(),
        inspection.name,
        inspection.version
    ));
    Ok(())
}

/// Puts a plugin through admission.
pub(super) fn inspect(file: &Path, grants: &Grants) -> anyhow::Result<Inspection> {
    match PluginHost::inspect(file, grants) {
        Ok(inspection) => Ok(inspection),
        Err(InspectError::Refused(reason)) => bail!("{}: the plugin {reason}", file.display()),
        Err(error) => Err(error.into()),
    }
}

/// What a gateway would load, and what cannot be meant so.
fn contradictions(inspection: &Inspection) -> impl Iterator<Item = String> {
    let exports = |hook| inspection.hooks.contains(&hook);
    let found = [
        inspection.hooks.is_empty().then(|| "it exports no hook, so it is never called".to_owned()),
        (!inspection.admin_routes.is_empty() && !exports("admin"))
            .then(|| "the manifest has admin routes, and no admin hook answers them; export it".to_owned()),
        (inspection.admin_routes.is_empty() && exports("admin")).then(|| {
            "the admin hook is never called, for the manifest has no admin routes; name them".to_owned()
        }),
        (inspection.timer_interval.is_some() && !exports("timer"))
            .then(|| "the manifest has a timer interval, and there is no timer hook; export it".to_owned()),
        (inspection.timer_interval.is_none() && exports("timer"))
            .then(|| "the timer hook is never called, for the manifest has no interval; name it".to_owned()),
    ];
    found.into_iter().flatten()
}

fn grants(names: &[String]) -> anyhow::Result<Grants> {
    let mut grants = Grants::all();
    grants.capabilities.clear();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let Some(capability) = Capability::of_name(name) else {
            let all = Capability::ALL.map(Capability::name).join(", ");
            bail!("--grants: `{name}` cannot be granted; there are {all}");
        };
        grants.capabilities.insert(capability);
    }
    Ok(grants)
}
