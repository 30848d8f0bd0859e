//! The plugin configurations of a snapshot, bound to their plugins.

use std::collections::HashSet;
use std::sync::Arc;

use moongate_hooks::{BoundTo, PluginRuntime, PluginSpec};
use moongate_model::{Entities, Plugin, Route};
use uuid::Uuid;

use super::SnapshotError;
use super::alongside::Alongside;

/// The enabled plugin configurations, by ascending id, each bound once however many routes use it.
pub(crate) struct Bindings<R: PluginRuntime>(Vec<Bound<R>>);

struct Bound<R: PluginRuntime> {
    /// That of the configuration, to find it by.
    id: Uuid,
    plugin: Arc<Plugin>,
    binding: Arc<R::Binding>,
}

/// Which routes have other plugins than in the snapshot before.
#[derive(Debug, Default)]
pub(super) struct Touched {
    all: bool,
    routes: HashSet<Uuid>,
    services: HashSet<Uuid>,
}

impl<R: PluginRuntime> Bindings<R> {
    /// Binds the enabled configurations, also those that no route uses: they are checked all the same. What `earlier` has
    /// bound is used again where configuration and plugin are the same.
    ///
    /// # Errors
    /// The first configuration that cannot be used.
    pub(super) fn new(
        earlier: &Self,
        entities: &Entities,
        runtime: &R,
    ) -> Result<(Self, Touched), SnapshotError> {
        let mut touched = Touched::default();
        let mut known = Alongside::new(&earlier.0, |known: &Bound<R>| known.id);
        let mut bound = Vec::with_capacity(entities.plugins.len());
        for plugin in entities.plugins.shared().iter().filter(|plugin| plugin.enabled) {
            let before = known.at_passing(plugin.id, |gone| touched.by(&gone.plugin));
            let same = before
                .filter(|before| Arc::ptr_eq(&before.plugin, plugin) && runtime.is_current(&before.binding));
            let binding = match same {
                Some(before) => Arc::clone(&before.binding),
                None => {
                    touched.by(plugin);
                    before.iter().for_each(|before| touched.by(&before.plugin));

                    bind(plugin, runtime)?
                }
            };
            bound.push(Bound { id: plugin.id, plugin: Arc::clone(plugin), binding });
        }
        known.rest().iter().for_each(|gone| touched.by(&gone.plugin));
        Ok((Self(bound), touched))
    }

    /// What the configuration with this id is bound to, if it is enabled.
    pub(super) fn get(&self, id: Uuid) -> Option<&Arc<R::Binding>> {
        let at = self.0.binary_search_by_key(&id, |bound| bound.id).ok()?;
        self.0.get(at).map(|bound| &bound.binding)
    }
}

impl<R: PluginRuntime> Default for Bindings<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Touched {
    /// Whether the plugins of a route may be others.
    pub(super) fn concerns(&self, route: &Route) -> bool {
        self.all
            || self.routes.contains(&route.id)
            || route.service.is_some_and(|service| self.services.contains(&service.id))
    }

    /// Whether the plugins of requests without a route may be others.
    pub(super) fn concerns_everything(&self) -> bool {
        self.all
    }

    fn by(&mut self, plugin: &Plugin) {
        match (plugin.route, plugin.service) {
            (Some(route), _) => self.routes.insert(route.id),
            (None, Some(service)) => self.services.insert(service.id),
            (None, None) => std::mem::replace(&mut self.all, true),
        };
    }
}

fn bind<R: PluginRuntime>(plugin: &Plugin, runtime: &R) -> Result<Arc<R::Binding>, SnapshotError> {
    let id = plugin.id.to_string();
    let [route, service, consumer] = [&plugin.route, &plugin.service, &plugin.consumer]
        .map(|entity| entity.as_ref().map(|entity| entity.id.to_string()));
    let bound_to =
        BoundTo { route: route.as_deref(), service: service.as_deref(), consumer: consumer.as_deref() };
    let instance_name = plugin.instance_name.as_deref();
    let spec = PluginSpec { id: &id, instance_name, name: &plugin.name, config: &plugin.config, bound_to };
    runtime.bind(&spec).map_err(|source| SnapshotError::Plugin { id: plugin.id, source })
}
