//! `moongate migrations` and `moongate config`

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use moongate_hooks::PluginCatalog as _;
use moongate_model::Origin;
use moongate_schema::Catalog;
use moongate_schema::text::inline_table;
use moongate_store::{Change, Key, Layout, Migration, Store, StoreError};
use serde_json::Value;

use super::arguments::{ConfigCommand, MigrationsCommand};
use super::say;
use crate::configuration::{FileError, Servable, export, in_order, read_file};
use crate::properties::{Database, Properties};
use crate::{catalog, plugins, storage};

pub(super) fn migrations(command: MigrationsCommand) -> anyhow::Result<()> {
    let properties = Properties::load(&command.sources())?.properties;
    let Some(migrations) = storage::migrations(&properties)? else {
        bail!("with `database` off there is nothing to migrate; set it to postgres or sqlite");
    };
    let runtime = storage::runtime()?;
    match command {
        MigrationsCommand::Bootstrap(_) => {
            let layout = Layout::of(&schemas(&properties)?);
            let made = runtime.block_on(migrations.bootstrap(&layout))?;
            say(if made { "database is up to date" } else { "database already bootstrapped" });
        }
        MigrationsCommand::Up(_) => {
            let layout = Layout::of(&schemas(&properties)?);
            let taken = runtime.block_on(migrations.up(&layout))?;
            taken.iter().for_each(show);
            say("database is up to date");
        }
        MigrationsCommand::List(_) => runtime.block_on(migrations.list())?.iter().for_each(show),
    }
    Ok(())
}

pub(super) fn config(command: ConfigCommand) -> anyhow::Result<()> {
    match &command {
        ConfigCommand::Init { file } => init(file),
        ConfigCommand::Parse { file, properties } => {
            let properties = Properties::load(&properties.clone().sources())?.properties;
            read_file(file, &schemas(&properties)?).map_err(parse_failure)?;
            say("parse successful");
            Ok(())
        }
        ConfigCommand::DbImport { file, properties } => {
            let properties = Properties::load(&properties.clone().sources())?.properties;
            with_database(
                &properties,
                "'moongate config db_import' only works with a database.\nWhen using database=off, reload your \
                 declarative configuration\nusing the /config endpoint.",
            )?;
            import(&properties, file)
        }
        ConfigCommand::DbExport { file, properties } => {
            let properties = Properties::load(&properties.clone().sources())?.properties;
            with_database(&properties, "'moongate config db_export' only works with a database.")?;
            if file.exists() {
                bail!("{} already exists. Will not overwrite it.", file.display());
            }
            let catalog = schemas(&properties)?;
            let store = storage::runtime()?.block_on(storage::open(&properties, &catalog))?;
            std::fs::write(file, export(&catalog, &store.dataset()))
                .with_context(|| format!("cannot write {}", file.display()))
        }
    }
}

/// Writes a sample, with everything in comments.
fn init(file: &Path) -> anyhow::Result<()> {
    if file.exists() {
        bail!("{} already exists.\nWill not overwrite it.", file.display());
    }
    std::fs::write(file, SAMPLE).with_context(|| format!("cannot write {}", file.display()))
}

/// Brings in everything that a file declares. What it does not declare stays.
fn import(properties: &Properties, file: &Path) -> anyhow::Result<()> {
    let host = plugins::look(properties)?;
    let flavor = properties.router_flavor;
    let catalog = Arc::new(catalog::build(flavor, true, &host.schemas())?);
    let mut declaration = read_file(file, &catalog).map_err(parse_failure)?;
    let origin = std::mem::take(&mut declaration.origin);
    say("parse successful, beginning import");
    let runtime = storage::runtime()?;
    let rows = in_order(declaration, &catalog).into_iter();
    let changes = rows.map(|(entity, id, row)| Change::upsert(entity, Key::Id(id), row)).collect();
    let servable = Servable { host, catalog: Arc::clone(&catalog), flavor };
    runtime.block_on(async {
        let store: Arc<dyn Store> = storage::open(properties, &catalog).await?;
        let kind = store.status().await.kind;
        store.write_if(changes, &servable).await.map_err(|error| import_failure(error, kind, origin))
    })?;
    say("import successful");
    Ok(())
}

fn with_database(properties: &Properties, complaint: &'static str) -> anyhow::Result<()> {
    if properties.chosen_database() == Database::Off { bail!(complaint) } else { Ok(()) }
}

/// The entities and the plugins that lie in the plugin directories.
fn schemas(properties: &Properties) -> anyhow::Result<Catalog> {
    let host = plugins::look(properties)?;
    Ok(catalog::build(properties.router_flavor, true, &host.schemas())?)
}

/// The layout that Kong's users know.
fn parse_failure(error: FileError) -> anyhow::Error {
    match error {
        FileError::Declarative { error, .. } => anyhow::anyhow!("Failed parsing:\n{error}"),
        error => error.into(),
    }
}

/// In Kong's words where it has some. `kind` is that of the store.
fn import_failure(error: StoreError, kind: &str, origin: Origin) -> anyhow::Error {
    if let StoreError::Refused { fields, about: Some((entity, id)), .. } = &error
        && let Some(error) = origin.refusal(entity, *id, fields)
    {
        return anyhow::anyhow!("Failed importing:\n{error}");
    }
    let why = match &error {
        StoreError::UniqueViolation { fields, .. } => {
            format!("UNIQUE violation detected on '{}'", inline_table(&Value::Object(fields.clone())))
        }
        StoreError::ForeignKeyMissing { field, references, id, .. } => {
            format!(
                "the foreign key '{{{field}={{id=\"{id}\"}}}}' does not reference an existing '{references}' entity."
            )
        }
        error => error.to_string(),
    };
    anyhow::anyhow!("Failed importing:\n[{kind}] {why}")
}

fn show(migration: &Migration) {
    let state = if migration.applied { "applied" } else { "pending" };
    say(&format!("{:03} {} {state}", migration.version, migration.name));
}

const SAMPLE: &str = r#"# A declarative configuration of Moongate, in Kong's format.
#
# Use it with `moongate start --set declarative_config=kong.yml`, bring it into a database with
# `moongate config db_import kong.yml`, or post it to /config of the Admin API.

_format_version: "3.0"
_transform: true

# Entities may stand in lists of their own and refer to each other by name, or below the entity that they belong to.
#
# services:
# - name: example
#   url: http://example.com:80/base
#   routes:
#   - name: orders
#     paths: [/orders]
#   plugins:
#   - name: jwt-claims
#     config:
#       secret: a-secret-that-is-long-enough
#       claims:
#         username: JWT-username
#
# consumers:
# - username: alice
"#;
