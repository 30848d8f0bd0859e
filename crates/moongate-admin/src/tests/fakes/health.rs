//! Health of targets that are addresses, as a node would know it without checking anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use moongate_balancer::{AddressStatus, HealthWord, Target, TargetStatus, UpstreamStatus, Weights};
use moongate_store::Store;
use parking_lot::Mutex;
use serde_json::Value;
use uuid::Uuid;

use crate::{Health, HealthError};

pub(crate) struct FakeHealth {
    pub(crate) store: Arc<dyn Store>,
    /// The targets that were called unhealthy.
    pub(crate) unhealthy: Mutex<BTreeSet<(Uuid, String)>>,
}

impl Health for FakeHealth {
    fn upstream(&self, id: Uuid) -> Option<UpstreamStatus> {
        let data = self.store.dataset();
        let checked = is_checked(data.get("upstreams", id)?.get("healthchecks")?);
        let unhealthy = self.unhealthy.lock();
        let target = |row: &moongate_store::Row| {
            let text = row.get("target")?.as_str()?;
            let Target { host, port, weight, .. } =
                Target::parse(text, u32::try_from(row.get("weight")?.as_u64()?).ok()?);
            let health = match (checked, unhealthy.contains(&(id, text.to_owned()))) {
                (false, _) => HealthWord::Off,
                (true, false) => HealthWord::Healthy,
                (true, true) => HealthWord::Unhealthy,
            };
            let ip = host.parse().ok()?;
            let available = if health == HealthWord::Unhealthy { 0 } else { weight };
            let unavailable = u64::from(weight - available);
            let weights = Weights { total: weight.into(), available: available.into(), unavailable };
            let addresses = vec![AddressStatus { ip, port, weight, health }];
            Some(TargetStatus {
                host: host.to_string(),
                port,
                dns: "A",
                node_weight: weight,
                weight: weights,
                addresses,
                health,
            })
        };
        let targets: Vec<TargetStatus> =
            data.referring("targets", "upstream", id).filter_map(|row| target(row)).collect();
        let sum = |part: fn(&Weights) -> u64| targets.iter().map(|target| part(&target.weight)).sum();
        let weight = Weights {
            total: sum(|weight| weight.total),
            available: sum(|weight| weight.available),
            unavailable: sum(|weight| weight.unavailable),
        };
        Some(UpstreamStatus { healthy: weight.available > 0, weight, checked, targets })
    }

    fn set(&self, id: Uuid, target: &str, address: Option<&str>, healthy: bool) -> Result<(), HealthError> {
        let status = self.upstream(id).ok_or(HealthError::NoBalancer)?;
        if !status.checked {
            return Err(HealthError::NoChecks);
        }
        if address.is_some_and(|address| !target.starts_with(address)) {
            return Err(HealthError::UnknownAddress);
        }
        let key = (id, target.to_owned());
        if healthy {
            self.unhealthy.lock().remove(&key);
        } else {
            self.unhealthy.lock().insert(key);
        }
        Ok(())
    }
}

fn is_checked(checks: &Value) -> bool {
    let number = |path: &str| checks.pointer(path).and_then(Value::as_f64).unwrap_or(0.0);
    ["/active/healthy/interval", "/active/unhealthy/interval", "/passive/unhealthy/http_failures"]
        .iter()
        .any(|path| number(path) > 0.0)
}
