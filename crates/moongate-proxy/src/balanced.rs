//! Requests and streams to upstreams that have targets.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use moongate_balancer::{
    AddressId, Algorithm, Balancer, NoPeer, Outcome, Pick, Request as Wanted, Resolution,
};
use moongate_hooks::PluginRuntime;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::dns::DnsError;
use crate::error::Failure;
use crate::hash::Hashed;
use crate::probe;
use crate::snapshot::Upstream;
use crate::worker::Worker;

/// How long a request waits for names that were not resolved before, although there are other targets: long
/// enough for a name server nearby, so that a new target takes its part from the start.
const PATIENCE: Duration = Duration::from_millis(100);

/// The target that a request or stream goes to, and what is needed to choose another.
pub(crate) struct Chosen {
    pub(crate) pick: Pick,
    /// The cookie that leads the client to the same target the next time.
    pub(crate) cookie: Option<HeaderValue>,
    balancer: Arc<Balancer>,
    hash: Option<u32>,
    tried: SmallVec<[AddressId; 4]>,
}

impl Chosen {
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.balancer.settings().algorithm
    }

    /// Takes note of how a try ended.
    pub(crate) fn report(&self, outcome: Outcome) {
        if let Some(change) = self.balancer.report(&self.pick, outcome) {
            probe::log(&change);
        }
    }
}

impl<R: PluginRuntime> Worker<R> {
    /// Chooses the first target.
    pub(crate) async fn choose(
        &self,
        balancer: &Arc<Balancer>,
        upstream: &Upstream,
        hashed: Hashed,
    ) -> Result<Box<Chosen>, Failure> {
        if balancer.is_unsettled() {
            // Boxed, as it is rarely needed and would make every request larger.
            Box::pin(async {
                if balancer.is_pending() {
                    self.settle(balancer, PATIENCE).await;
                }
                self.renew(balancer, Duration::from_millis(upstream.connect_timeout)).await;
            })
            .await;
        }
        let pick = match self.pick(balancer, hashed.hash, &[]) {
            Err(NoPeer::Pending) => {
                let patience = Duration::from_millis(upstream.connect_timeout);
                Box::pin(self.settle(balancer, patience)).await;
                self.pick(balancer, hashed.hash, &[])
            }
            pick => pick,
        };
        Ok(Box::new(Chosen {
            pick: pick.map_err(|_| Failure::NoPeer)?,
            cookie: hashed.cookie,
            balancer: Arc::clone(balancer),
            hash: hashed.hash,
            tried: SmallVec::new(),
        }))
    }

    /// Chooses another target, after a try that failed.
    pub(crate) fn choose_next(&self, chosen: &mut Chosen) -> Result<(), NoPeer> {
        chosen.tried.push(chosen.pick.id());
        chosen.pick = self.pick(&chosen.balancer, chosen.hash, &chosen.tried)?;
        Ok(())
    }

    /// Waits until the names of all targets were resolved, or could not be.
    async fn settle(&self, balancer: &Balancer, patience: Duration) {
        let mut resolved = self.shared.resolved();
        self.shared.dns.look();
        let settled = async { while balancer.is_pending() && resolved.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(patience, settled).await;
    }

    /// Resolves the names whose addresses are good for one request only. Where that fails or takes too long, the addresses
    /// of the request before serve.
    async fn renew(&self, balancer: &Balancer, patience: Duration) {
        let dns = &self.shared.dns;
        let names = balancer.volatile_names();
        let asked: Vec<_> = names.into_iter().map(|(position, name)| (position, dns.ask(name))).collect();
        let renewed = async {
            for (position, answer) in asked {
                let resolution = match answer.await {
                    Ok(Ok(resolution)) => Some(Resolution::clone(&resolution)),
                    Ok(Err(DnsError::NotFound)) => None,
                    Ok(Err(DnsError::Unanswered)) | Err(_) => continue,
                };
                balancer.resolved(position, resolution, self.shared.time(Instant::now()));
            }
        };
        let _ = tokio::time::timeout(patience, renewed).await;
    }

    fn pick(&self, balancer: &Balancer, hash: Option<u32>, tried: &[AddressId]) -> Result<Pick, NoPeer> {
        let latency = balancer.settings().algorithm == Algorithm::Latency;
        balancer.pick(&Wanted {
            hash,
            tried,
            now: self.shared.time(self.clock.now()),
            random: if latency { self.random() as u64 } else { 0 },
        })
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::gateway::declared;
