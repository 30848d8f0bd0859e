//! What has changed between two looks at a node.

use std::collections::{BTreeMap, HashMap};

use moongate_balancer::HealthWord;
use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use moongate_store::Dataset;
use serde_json::Value;
use uuid::Uuid;

use super::{HappeningKind, News, Subject, difference};
use crate::node::Node;

/// What was seen last.
#[derive(Default)]
pub(super) struct Watched {
    /// The entities; none before the first look.
    dataset: Option<Dataset>,
    plugins: BTreeMap<String, PluginStatus>,
    targets: HashMap<(Uuid, String), HealthWord>,
    reachable: Option<bool>,
}

impl Watched {
    /// What has happened since the last look.
    pub(super) fn look(
        &mut self,
        node: &dyn Node,
        plugins: &dyn PluginCatalog,
        reachable: Option<bool>,
    ) -> Vec<News> {
        let mut news = Vec::new();
        self.configuration(node, &mut news);
        self.plugins(plugins, &mut news);
        self.targets(node, &mut news);
        if let (Some(true), Some(false)) = (self.reachable, reachable) {
            let message =
                "The database does not answer; requests are served from what is in memory".to_owned();
            news.push(News::new(HappeningKind::DatabaseUnreachable, message));
        }
        if let (Some(false), Some(true)) = (self.reachable, reachable) {
            news.push(News::new(HappeningKind::DatabaseReachable, "The database answers again".to_owned()));
        }
        self.reachable = reachable;
        news
    }

    fn configuration(&mut self, node: &dyn Node, news: &mut Vec<News>) {
        let store = node.store();
        let now = store.dataset();
        // What was there from the start has not changed.
        let Some(before) = self.dataset.replace(now.clone()) else { return };
        if before.version() == now.version() {
            return;
        }
        let known = store.changes_since(before.version()).filter(|(until, _)| *until == now.version());
        let effects = known.map_or_else(|| difference::between(&before, &now), |(_, effects)| effects);
        news.extend(difference::told(effects));
    }

    fn plugins(&mut self, catalog: &dyn PluginCatalog, news: &mut Vec<News>) {
        let now: BTreeMap<String, PluginStatus> = catalog
            .plugins()
            .into_iter()
            .map(|status| (format!("{} {}", status.name, status.file), status))
            .collect();
        for (key, status) in &now {
            let before = self.plugins.get(key);
            let generation = before.map_or(0, |before| before.generation);
            if status.generation > generation && status.state != PluginState::Refused {
                let version = status.version.as_deref().unwrap_or("without a version");
                let message = format!("{} {version} is live, generation {}", status.name, status.generation);
                news.push(about_plugin(HappeningKind::PluginLoaded, status, message));
            }
            let was_refused = before.is_some_and(|before| {
                before.state == PluginState::Refused && before.last_error == status.last_error
            });
            if status.state == PluginState::Refused && !was_refused {
                let mut refused = about_plugin(
                    HappeningKind::PluginRefused,
                    status,
                    format!("{} was refused", status.name),
                );
                refused.detail = status.last_error.clone();
                news.push(refused);
            }
            let was_removed = before.is_some_and(|before| before.state == PluginState::Removed);
            if status.state == PluginState::Removed && !was_removed {
                let message = format!("The file of {} is gone; it is still in use", status.name);
                news.push(about_plugin(HappeningKind::PluginRemoved, status, message));
            }
        }
        for (key, status) in &self.plugins {
            if !now.contains_key(key) {
                let message = format!("{} is gone", status.name);
                news.push(News::new(HappeningKind::PluginRemoved, message));
            }
        }
        self.plugins = now;
    }

    fn targets(&mut self, node: &dyn Node, news: &mut Vec<News>) {
        let dataset = node.store().dataset();
        let mut now = HashMap::new();
        for row in dataset.rows("upstreams") {
            let Some(id) = row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()) else {
                continue;
            };
            // Where nothing is checked nothing changes.
            let Some(status) = node.health().upstream(id).filter(|status| status.checked) else { continue };
            let name = row.get("name").and_then(Value::as_str).unwrap_or_default();
            for target in status.targets {
                let address = format!("{}:{}", target.host, target.port);
                let before = self.targets.get(&(id, address.clone())).copied();
                if let Some(kind) = turn(before, target.health) {
                    let word =
                        if kind == HappeningKind::TargetUnhealthy { "unhealthy" } else { "healthy again" };
                    let mut happened = News::new(kind, format!("{address} of {name} is {word}"));
                    happened.entity = Some(Subject { kind: "upstreams".to_owned(), id: id.to_string() });
                    if target.health == HealthWord::DnsError {
                        happened.detail = Some("its name has no address".to_owned());
                    }
                    news.push(happened);
                }
                now.insert((id, address), target.health);
            }
        }
        self.targets = now;
    }
}

/// What a target's health has turned to. A new one counts as healthy.
fn turn(before: Option<HealthWord>, now: HealthWord) -> Option<HappeningKind> {
    let is_bad = |word| matches!(word, HealthWord::Unhealthy | HealthWord::DnsError);
    match (before.is_some_and(is_bad), is_bad(now)) {
        (false, true) => Some(HappeningKind::TargetUnhealthy),
        (true, false) => Some(HappeningKind::TargetHealthy),
        _ => None,
    }
}

fn about_plugin(kind: HappeningKind, status: &PluginStatus, message: String) -> News {
    News { plugin: Some(status.name.clone()), ..News::new(kind, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_turns_once_in_each_direction() {
        use HealthWord::{DnsError, Healthy, Off, Unhealthy};
        assert_eq!(turn(None, Healthy), None);
        assert_eq!(turn(None, Unhealthy), Some(HappeningKind::TargetUnhealthy));
        assert_eq!(turn(Some(Healthy), DnsError), Some(HappeningKind::TargetUnhealthy));
        assert_eq!(turn(Some(DnsError), Unhealthy), None);
        assert_eq!(turn(Some(Unhealthy), Healthy), Some(HappeningKind::TargetHealthy));
        assert_eq!(turn(Some(Unhealthy), Off), Some(HappeningKind::TargetHealthy));
        assert_eq!(turn(Some(Off), Healthy), None);
    }
}
