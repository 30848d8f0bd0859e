//! The dataset that a store has now, and what led to it.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::change::{Effect, Version};
use crate::dataset::Dataset;

/// What all stores have in memory.
#[derive(Debug)]
pub(crate) struct History {
    state: RwLock<State>,
    versions: watch::Sender<Version>,
}

#[derive(Debug)]
struct State {
    dataset: Dataset,
    /// What each of the last versions changed, the oldest first. They follow each other without a gap, and the last
    /// is that of the dataset.
    steps: VecDeque<(Version, Version, Arc<[Effect]>)>,
}

impl History {
    pub(crate) fn new(dataset: Dataset) -> Self {
        let versions = watch::Sender::new(dataset.version());
        Self { state: RwLock::new(State { dataset, steps: VecDeque::new() }), versions }
    }

    pub(crate) fn dataset(&self) -> Dataset {
        self.state.read().dataset.clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Version> {
        self.versions.subscribe()
    }

    /// What changed since `version`. `None` if that is not known any more.
    pub(crate) fn since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        let state = self.state.read();
        let now = state.dataset.version();
        if version == now {
            return Some((now, Vec::new()));
        }
        let first = state.steps.iter().position(|(from, _, _)| *from == version)?;
        let effects = state.steps.iter().skip(first).flat_map(|(_, _, effects)| effects.iter().cloned());
        Some((now, effects.collect()))
    }

    /// Takes on `dataset`, to which `effects` led.
    pub(crate) fn advance(&self, dataset: Dataset, effects: Arc<[Effect]>) {
        let version = dataset.version();
        {
            let mut state = self.state.write();
            let from = state.dataset.version();
            state.steps.push_back((from, version, effects));
            while state.steps.len() > REMEMBERED {
                state.steps.pop_front();
            }
            state.dataset = dataset;
        }
        self.announce(version);
    }

    /// Takes on `dataset`, without knowing what led to it.
    pub(crate) fn replace(&self, dataset: Dataset) {
        let version = dataset.version();
        {
            let mut state = self.state.write();
            state.steps.clear();
            state.dataset = dataset;
        }
        self.announce(version);
    }

    fn announce(&self, version: Version) {
        self.versions.send_replace(version);
    }
}

/// How many writes are remembered.
const REMEMBERED: usize = 1000;
