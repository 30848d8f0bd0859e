//! The upstream entities of a snapshot, each with its balancer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moongate_balancer::{Balancer, Target};
use moongate_model::Entities;
use uuid::Uuid;

use crate::upstream_settings::settings;

/// The balancers of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Balancers {
    by_id: HashMap<Uuid, Arc<Balancer>>,
    ids: HashMap<String, Uuid>,
    /// Those with names to resolve or addresses to probe.
    upkept: Vec<Arc<Balancer>>,
}

impl Balancers {
    pub(crate) fn new(entities: &Entities) -> Self {
        let mut targets: HashMap<Uuid, Vec<Target>> = HashMap::new();
        for target in entities.targets.iter() {
            let parsed = Target::parse(&target.target, target.weight.into());
            targets.entry(target.upstream.id).or_default().push(parsed);
        }
        let mut balancers = Self::default();
        for upstream in entities.upstreams.iter() {
            let targets = targets.remove(&upstream.id).unwrap_or_default();
            let balancer = Arc::new(Balancer::new(settings(upstream), targets, fastrand::usize(..)));
            if balancer.needs_upkeep() {
                balancers.upkept.push(Arc::clone(&balancer));
            }
            balancers.by_id.insert(upstream.id, balancer);
            balancers.ids.insert(upstream.name.clone(), upstream.id);
        }
        balancers
    }

    /// The balancer of the upstream with this id.
    pub(crate) fn by_id(&self, id: Uuid) -> Option<&Arc<Balancer>> {
        self.by_id.get(&id)
    }

    /// The balancer of the upstream with this name.
    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<Balancer>> {
        self.by_id(*self.ids.get(name)?)
    }

    /// The balancers with names to resolve or addresses to probe.
    pub(crate) fn upkept(&self) -> &[Arc<Balancer>] {
        &self.upkept
    }

    /// Takes over what the balancers of the snapshot before knew. To be called before the first request.
    pub(crate) fn inherit(&self, others: &Self, now: Duration) {
        for (id, balancer) in &self.by_id {
            if let Some(other) = others.by_id(*id) {
                balancer.inherit(other, now);
            }
        }
    }
}
