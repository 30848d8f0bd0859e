//! What has changed between two looks at a node.

use std::collections::{BTreeMap, HashMap};

use moongate_balancer::HealthWord;
use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use moongate_store::{Effect, Version};
use serde_json::Value;
use uuid::Uuid;

use super::{HappeningKind, News, Subject};
use crate::node::Node;

/// What was seen last.
#[derive(Default)]
pub(super) struct Watched {
    looked: bool,
    version: Version,
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
        if !std::mem::replace(&mut self.looked, true) {
            // What was there from the start has not changed; what failed, or was loaded, is worth knowing.
            news.retain(|news| news.kind != HappeningKind::ConfigurationChanged);
        }
        news
    }

    fn configuration(&mut self, node: &dyn Node, news: &mut Vec<News>) {
        let store = node.store();
        let version = store.dataset().version();
        if version == self.version {
            return;
        }
        match store.changes_since(self.version) {
            Some((until, effects)) if effects.len() <= MOST_NAMED => {
                self.version = until;
                news.extend(effects.iter().map(changed));
            }
            Some((until, effects)) => {
                self.version = until;
                let message = format!("{} entities changed", effects.len());
                news.push(News::new(HappeningKind::ConfigurationChanged, message));
            }
            None => {
                self.version = version;
                let message = "The configuration was replaced".to_owned();
                news.push(News::new(HappeningKind::ConfigurationChanged, message));
            }
        }
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

fn changed(effect: &Effect) -> News {
    let (row, what) = match (&effect.before, &effect.after) {
        (None, Some(row)) => (Some(row), "was made"),
        (_, Some(row)) => (Some(row), "was changed"),
        (row, None) => (row.as_ref(), "was deleted"),
    };
    let named = |field: &str| row?.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = ["instance_name", "name", "username", "target", "prefix"].into_iter().find_map(named);
    let name = name.unwrap_or_else(|| effect.id.to_string());
    let kind = singular(&effect.entity);
    let mut news = News::new(HappeningKind::ConfigurationChanged, format!("The {kind} {name} {what}"));
    // Targets have no page of their own; their upstream has.
    let upstream = row.and_then(|row| row.get("upstream")?.get("id")?.as_str());
    news.entity = match (upstream, &effect.after) {
        (Some(upstream), _) => Some(Subject { kind: "upstreams".to_owned(), id: upstream.to_owned() }),
        (None, Some(_)) => Some(Subject { kind: effect.entity.to_string(), id: effect.id.to_string() }),
        (None, None) => None,
    };
    news
}

/// One of a kind, as people say it.
fn singular(kind: &str) -> String {
    let words = kind.replace('_', " ");
    words.strip_suffix('s').map_or(words.clone(), str::to_owned)
}

/// So many changes at a time are told one by one.
const MOST_NAMED: usize = 10;

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

    #[test]
    fn kinds_have_a_word_for_one_of_them() {
        assert_eq!(singular("ca_certificates"), "ca certificate");
        assert_eq!(singular("services"), "service");
    }
}
