//! The core entities, declared.
//!
//! Each entity is declared once, in a file of its own; validation, defaults, tables, the Admin API and the
//! declarative format all follow from it. Entities of plugins are declared by the plugins.

mod ca_certificates;
mod certificates;
mod consumers;
mod filter_chains;
mod functions;
mod key_sets;
mod keys;
mod plugins;
mod routes;
mod services;
mod snis;
mod tags;
mod targets;
mod upstreams;
mod vaults;

pub use functions::functions;

use moongate_schema::{Catalog, CatalogBuilder, CheckFunction, Schema};

/// How routes are declared and matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RouterFlavor {
    /// By fields such as `paths`; the default.
    #[default]
    TraditionalCompatible,
    /// By fields such as `paths`, with server names that cannot have wildcards.
    Traditional,
    /// By fields, or by an expression.
    Expressions,
}

/// The schemas of the core entities.
pub fn schemas(flavor: RouterFlavor) -> Vec<Schema> {
    schemas_with(flavor, routes::FITS_ROUTER)
}

fn schemas_with(flavor: RouterFlavor, router: CheckFunction) -> Vec<Schema> {
    vec![
        certificates::schema(),
        ca_certificates::schema(),
        snis::schema(),
        services::schema(),
        routes::schema(flavor, router),
        consumers::schema(),
        upstreams::schema(),
        targets::schema(),
        plugins::schema(),
        vaults::schema(),
        key_sets::schema(),
        keys::schema(),
        filter_chains::schema(),
        tags::schema(),
    ]
}

/// Begins a catalog with the core entities and the kinds of vaults that the gateway knows. Plugins are to be
/// added.
pub fn catalog(flavor: RouterFlavor) -> CatalogBuilder {
    catalog_with(flavor, routes::FITS_ROUTER)
}

/// As [`catalog`], with the router's own word on whether it can take a route. It is asked with the fields that routes
/// are matched by, in every flavour but the traditional one.
pub fn catalog_with(flavor: RouterFlavor, router: CheckFunction) -> CatalogBuilder {
    Catalog::builder(schemas_with(flavor, router)).vault("env", vaults::env())
}

#[cfg(test)]
mod tests;
