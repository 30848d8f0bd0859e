//! Entities that come from a declarative configuration instead of a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use moongate_admin::{Declarative, LoadError, LoadOptions, Loaded, Source};
use moongate_model::{Declaration, DeclarativeError, Format, Origin};
use moongate_schema::{Catalog, Context, Object, SystemRandomness};
use moongate_store::{Change, Dataset, StoreError};
use serde_json::Value;
use uuid::Uuid;

use super::{Configuration, ConfigurationError};

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read the declarative configuration {path}: {error}{}", mend(path))]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is wrong.
    #[error("{path}: {}", explain(error))]
    Declarative {
        /// The file.
        path: String,
        /// What is wrong.
        error: DeclarativeError,
    },
}

/// The declarative configuration of a gateway without a database.
#[derive(Debug)]
pub(crate) struct DeclarativeConfiguration {
    configuration: Arc<Configuration>,
    file: Option<PathBuf>,
    /// What is in use, as it came. Held while another one is taken on.
    loading: tokio::sync::Mutex<Option<Source>>,
}

impl DeclarativeConfiguration {
    pub(crate) fn new(configuration: Arc<Configuration>, file: Option<PathBuf>) -> Self {
        Self { configuration, file, loading: tokio::sync::Mutex::default() }
    }

    /// Reads the file, if there is one, and serves what it declares.
    pub(crate) async fn reload(&self) -> Result<(), ConfigurationError> {
        self.read(true).await
    }

    /// As [`DeclarativeConfiguration::reload`], unless the file says what is in use already: it may just have been
    /// touched, or been read by somebody who asked for it.
    pub(crate) async fn file_changed(&self) -> Result<(), ConfigurationError> {
        self.read(false).await
    }

    async fn read(&self, again: bool) -> Result<(), ConfigurationError> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut last = self.loading.lock().await;
        let catalog = self.configuration.served().catalog;
        let (text, declaration) = read_text(file, &catalog)?;
        if !again && matches!(&*last, Some(Source::Text(known)) if *known == text) {
            return Ok(());
        }
        self.take_on(declaration, &catalog).await.map_err(|error| match error {
            NotTaken::Declared(error) => {
                FileError::Declarative { path: file.display().to_string(), error }.into()
            }
            NotTaken::Store(error) => ConfigurationError::Store(error),
        })?;
        *last = Some(Source::Text(text));
        Ok(())
    }

    /// Takes on the plugins that are loaded now. Where they can be configured in another way than before, what is
    /// declared is read again, so that it gets the defaults of the new plugins.
    pub(crate) async fn plugins_changed(&self) -> Result<(), ConfigurationError> {
        let last = self.loading.lock().await;
        let is_new = self.configuration.plugins_changed().await?;
        let Some(source) = last.as_ref().filter(|_| is_new) else { return Ok(()) };
        let catalog = self.configuration.served().catalog;
        let taken = match parse(source, &catalog) {
            Ok(declaration) => self.take_on(declaration, &catalog).await,
            Err(error) => Err(NotTaken::Declared(error)),
        };
        match taken {
            Ok(()) => Ok(()),
            Err(NotTaken::Declared(error)) => {
                tracing::error!(
                    "the declarative configuration does not fit the plugins any more, and is used as it was: {}",
                    explain(&error)
                );
                Ok(())
            }
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn take_on(&self, mut declaration: Declaration, catalog: &Catalog) -> Result<(), NotTaken> {
        let (count, hash) = (declaration.len(), declaration.hash.clone());
        let origin = std::mem::take(&mut declaration.origin);
        let replaced = self.configuration.replace(replacement(declaration, catalog), hash.clone()).await;
        replaced.map_err(|error| NotTaken::of(error, origin))?;
        tracing::info!(entities = count, hash, "declarative configuration is live");
        Ok(())
    }
}

/// Why a configuration without a mistake of its own is not taken on.
enum NotTaken {
    /// The router or a plugin finds something wrong with an entity.
    Declared(DeclarativeError),
    Store(StoreError),
}

impl NotTaken {
    fn of(error: StoreError, origin: Origin) -> Self {
        let declared = match &error {
            StoreError::Refused { fields, about: Some((entity, id)), .. } => {
                origin.refusal(entity, *id, fields)
            }
            _ => None,
        };
        declared.map_or(Self::Store(error), Self::Declared)
    }
}

#[async_trait]
impl Declarative for DeclarativeConfiguration {
    fn hash(&self) -> String {
        self.configuration.served().hash
    }

    async fn load(&self, source: Source, options: LoadOptions) -> Result<Loaded, LoadError> {
        let Ok(mut last) = self.loading.try_lock() else {
            return Err(LoadError::Busy { retry_after: Duration::from_secs(1) });
        };
        let catalog = self.configuration.served().catalog;
        if let (Source::Text(text), true) = (&source, options.check_hash)
            && moongate_model::hash(text) == self.hash()
        {
            return Ok(Loaded::Unchanged);
        }
        let parsed = parse(&source, &catalog);
        let declaration = parsed.map_err(|error| invalid(&error, options.flatten_errors, &catalog))?;
        let declared = declaration.declared();
        self.take_on(declaration, &catalog).await.map_err(|error| match error {
            NotTaken::Declared(error) => invalid(&error, options.flatten_errors, &catalog),
            NotTaken::Store(error) => LoadError::Refused(error.to_string()),
        })?;
        *last = Some(source);
        Ok(Loaded::Entities(declared))
    }

    async fn export(&self) -> Result<String, String> {
        let catalog = self.configuration.served().catalog;
        Ok(export(&catalog, &self.configuration.store().dataset()))
    }
}

/// Everything that is configured, in the declarative format.
pub(crate) fn export(catalog: &Catalog, dataset: &Dataset) -> String {
    moongate_model::export(catalog, |entity| {
        dataset.rows(entity).map(|record| (***record).clone()).collect::<Vec<_>>()
    })
}

fn parse(source: &Source, catalog: &Catalog) -> Result<Declaration, DeclarativeError> {
    match source {
        Source::Text(text) => moongate_model::parse(text, Format::Auto, catalog, &context()),
        Source::Json(Value::Object(document)) => {
            moongate_model::parse_document(document.clone(), catalog, &context())
        }
        Source::Json(other) => moongate_model::parse(&other.to_string(), Format::Json, catalog, &context()),
    }
}

/// Reads a declarative configuration from a file.
pub(crate) fn read_file(path: &Path, catalog: &Catalog) -> Result<Declaration, FileError> {
    read_text(path, catalog).map(|(_, declaration)| declaration)
}

fn read_text(path: &Path, catalog: &Catalog) -> Result<(String, Declaration), FileError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::Read { path: shown.clone(), error })?;
    let format = Format::of_path(path).unwrap_or_default();
    let declaration = moongate_model::parse(&text, format, catalog, &context())
        .map_err(|error| FileError::Declarative { path: shown, error })?;
    Ok((text, declaration))
}

/// What replaces everything by what `declaration` declares.
fn replacement(declaration: Declaration, catalog: &Catalog) -> Vec<Change> {
    let inserts =
        in_order(declaration, catalog).into_iter().map(|(entity, _, row)| Change::insert(entity, row));
    std::iter::once(Change::Clear).chain(inserts).collect()
}

/// The rows of `declaration` with their entities and ids, parents before their children.
pub(crate) fn in_order(mut declaration: Declaration, catalog: &Catalog) -> Vec<(&str, Uuid, Object)> {
    let schemas = catalog.entities().iter();
    let rows = schemas.flat_map(|schema| {
        let rows = declaration.rows.remove(schema.name()).unwrap_or_default();
        rows.into_iter().map(|(id, row)| (schema.name(), id, row))
    });
    rows.collect()
}

/// Now, with randomness fit for secrets.
fn context() -> Context<'static> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    Context::new(now, &SystemRandomness)
}

fn invalid(error: &DeclarativeError, flatten: bool, catalog: &Catalog) -> LoadError {
    if !flatten {
        return LoadError::Invalid { message: error.message(), fields: error.fields(), flattened: None };
    }
    let flattened = error.flattened(catalog);
    LoadError::Invalid { message: flattened.message, fields: flattened.fields, flattened: flattened.errors }
}

/// A mistake in the syntax stands in the same line, mistakes in the content below.
fn explain(error: &DeclarativeError) -> String {
    match error {
        DeclarativeError::Syntax { .. } => error.to_string(),
        error => format!("the declarative configuration is wrong\n{error}"),
    }
}

/// Where a relative path led to, which is what most often is wrong with it.
fn mend(path: &str) -> String {
    match (Path::new(path).is_relative(), std::env::current_dir()) {
        (true, Ok(directory)) => {
            format!(
                "; `declarative_config` is relative to {}, where the gateway was started",
                directory.display()
            )
        }
        _ => "; `declarative_config` names it".to_owned(),
    }
}
