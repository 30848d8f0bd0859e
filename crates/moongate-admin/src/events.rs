//! `GET /moongate/events`: what the node does and what happens to it, as it does.
//!
//! Once a second an [`Observer`] looks at what the workers have counted and at the state of plugins, targets and
//! database, and tells what has changed to everybody who listens. It keeps the last five minutes, so that who comes later
//! sees them as well. Nothing of this is on a request's way: workers only count.

mod changes;
mod difference;
mod feed;
mod reach;
mod sample;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use moongate_hooks::Metrics;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use self::changes::Watched;
use self::difference::Changes;
use self::feed::Feed;
use self::reach::Reach;
use self::sample::{Sample, Totals};
use crate::{SharedNode, SharedPlugins};

/// Watches a node and tells of it. See the module's description.
pub struct Observer {
    node: SharedNode,
    plugins: SharedPlugins,
    running: AtomicBool,
    next_id: AtomicU64,
    told: Mutex<Told>,
}

/// What was told, and to whom the next is.
#[derive(Default)]
struct Told {
    samples: VecDeque<Sample>,
    happenings: VecDeque<Happening>,
    /// Whether the database answered at the last look; nothing before the first.
    reachable: Option<Option<bool>>,
    feed: Feed,
}

/// Something that an operator wants to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Happening {
    id: u64,
    /// Unix seconds.
    at: f64,
    kind: HappeningKind,
    /// One line.
    message: String,
    /// Why, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The entity that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Subject>,
    /// The plugin that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    /// What became of which entities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Changes>,
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Subject {
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HappeningKind {
    ConfigurationChanged,
    PluginLoaded,
    PluginRefused,
    PluginRemoved,
    TargetUnhealthy,
    TargetHealthy,
    DatabaseUnreachable,
    DatabaseReachable,
}

/// A happening that has no number and no time yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct News {
    pub(crate) kind: HappeningKind,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    pub(crate) entity: Option<Subject>,
    pub(crate) plugin: Option<String>,
    pub(crate) changes: Vec<Changes>,
}

impl News {
    pub(crate) fn new(kind: HappeningKind, message: String) -> Self {
        Self { kind, message, detail: None, entity: None, plugin: None, changes: Vec::new() }
    }
}

impl Observer {
    /// Watches nothing until it is told to [`watch`](Self::watch).
    pub(crate) fn new(node: SharedNode, plugins: SharedPlugins) -> Arc<Self> {
        let (running, next_id) = (AtomicBool::new(false), AtomicU64::new(1));
        Arc::new(Self { node, plugins, running, next_id, told: Mutex::default() })
    }

    /// Begins to watch, in a task that ends with the observer; a second call does nothing. Must be called within a tokio
    /// runtime.
    pub fn watch(self: &Arc<Self>) {
        if self.running.swap(true, Ordering::Relaxed) {
            return;
        }
        let observer = Arc::downgrade(self);
        let (mut watched, mut reach) = (Watched::default(), Reach::default());
        let mut before = self.measure();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(observer) = observer.upgrade() else { return };
                let now = observer.measure();
                // Nothing where there is no database.
                let reachable = match observer.node.declarative() {
                    Some(_) => None,
                    None => {
                        let store = observer.node.store();
                        reach.look(async move { store.status().await.reachable }).await
                    }
                };
                let news = watched.look(&*observer.node, &*observer.plugins, reachable);
                observer.tell(&before, &now, reachable, news);
                before = now;
            }
        });
    }

    /// Ends all streams, so that a server that waits for its answers can stop.
    pub fn stop(&self) {
        self.told.lock().feed.close();
    }

    /// Tells of something that was not found by looking.
    pub(crate) fn happened(&self, news: News) {
        let happening = self.happening(news);
        self.told.lock().add(happening);
    }

    /// The answer to `GET /moongate/events`: first what was, then what comes.
    pub(crate) fn listen(self: &Arc<Self>) -> Response {
        self.watch();
        let mut told = self.told.lock();
        let totals = told.reachable.map(|reachable| self.totals(&self.node.metrics(), reachable));
        let history = json!({"samples": told.samples, "events": told.happenings, "totals": totals});
        let body = told.feed.subscribe(message("history", &history));
        let mut response = Response::new(Body::new(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A reverse proxy in front of it would otherwise wait for more.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }

    fn measure(&self) -> (Instant, Metrics) {
        (Instant::now(), self.node.metrics())
    }

    fn totals(&self, metrics: &Metrics, reachable: Option<bool>) -> Totals {
        Totals::new(metrics, self.node.uptime(), reachable)
    }

    fn tell(
        &self,
        before: &(Instant, Metrics),
        now: &(Instant, Metrics),
        reachable: Option<bool>,
        news: Vec<News>,
    ) {
        let memory = self.node.resident_memory();
        let passed = now.0.duration_since(before.0);
        let sample = Sample::between(&before.1, &now.1, passed, unix_now(), memory);
        let happenings: Vec<_> = news.into_iter().map(|news| self.happening(news)).collect();
        let mut told = self.told.lock();
        for happening in happenings {
            told.add(happening);
        }
        if told.feed.has_listeners() {
            let totals = self.totals(&now.1, reachable);
            told.feed.send(message("sample", &json!({"sample": sample, "totals": totals})));
        }
        told.reachable = Some(reachable);
        told.samples.push_back(sample);
        if told.samples.len() > KEPT_SAMPLES {
            told.samples.pop_front();
        }
    }

    fn happening(&self, news: News) -> Happening {
        let News { kind, message, detail, entity, plugin, changes } = news;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        Happening { id, at: unix_now(), kind, message, detail, entity, plugin, changes }
    }
}

impl Told {
    fn add(&mut self, happening: Happening) {
        self.feed.send(message("event", &happening));
        self.happenings.push_back(happening);
        if self.happenings.len() > KEPT_HAPPENINGS {
            self.happenings.pop_front();
        }
    }
}

/// One message of the stream.
fn message(event: &str, data: &impl Serialize) -> Bytes {
    // Nothing in it has a map with keys that are no texts, which is all that could fail.
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {event}\ndata: {data}\n\n").into()
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64 / 1000.0)
}

const PERIOD: Duration = Duration::from_secs(1);

/// Five minutes.
const KEPT_SAMPLES: usize = 300;
const KEPT_HAPPENINGS: usize = 100;
