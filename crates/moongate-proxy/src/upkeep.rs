//! What goes on beside requests: names are resolved and targets are probed, by one thread for all workers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::balance::Balancers;
use crate::dns::{Answer, Dns, Question};
use crate::probe;
use crate::resolver::Resolver;
use crate::tls::TlsClients;
use crate::worker::Order;

/// How often to look whether something is due.
const LOOK: Duration = Duration::from_millis(50);

/// What workers and the upkeep have in common.
pub(crate) struct Shared {
    pub(crate) dns: Dns,
    pub(crate) tls_clients: TlsClients,
    /// The balancers of the snapshot in use.
    pub(crate) balancers: ArcSwap<Balancers>,
    /// Changes whenever a target's name was resolved.
    resolved: watch::Sender<()>,
    /// From when on balancers count the time.
    epoch: Instant,
}

impl Shared {
    pub(crate) fn new(dns: Dns, tls_clients: TlsClients) -> Self {
        let resolved = watch::channel(()).0;
        Self { dns, tls_clients, balancers: ArcSwap::default(), resolved, epoch: Instant::now() }
    }

    /// `instant` as balancers count it.
    pub(crate) fn time(&self, instant: Instant) -> Duration {
        instant.duration_since(self.epoch)
    }

    /// Told whenever a target's name was resolved.
    pub(crate) fn resolved(&self) -> watch::Receiver<()> {
        self.resolved.subscribe()
    }
}

/// Runs on the current thread until it is told to stop.
pub(crate) fn run(
    shared: Arc<Shared>,
    questions: mpsc::UnboundedReceiver<Question>,
    orders: watch::Receiver<Order>,
) {
    match tokio::runtime::LocalRuntime::new() {
        Ok(runtime) => runtime.block_on(Rc::new(Upkeep::new(shared)).run(questions, orders)),
        Err(error) => tracing::error!(%error, "names cannot be resolved, and targets not be probed"),
    }
}

struct Upkeep {
    shared: Arc<Shared>,
    resolver: Resolver,
    /// Who waits for a name that name servers were asked for.
    waiting: RefCell<HashMap<Arc<str>, Vec<oneshot::Sender<Answer>>>>,
}

impl Upkeep {
    fn new(shared: Arc<Shared>) -> Self {
        let resolver = Resolver::new(shared.dns.options());
        Self { shared, resolver, waiting: RefCell::default() }
    }

    async fn run(
        self: Rc<Self>,
        mut questions: mpsc::UnboundedReceiver<Question>,
        mut orders: watch::Receiver<Order>,
    ) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = orders.wait_for(|order| *order == Order::Stop) => return,
                question = questions.recv() => match question {
                    Some(Question::Resolve { name, reply }) => self.ask(name, reply),
                    Some(Question::Look) => self.look(),
                    None => return,
                },
                _ = ticks.tick() => self.look(),
            }
        }
    }

    /// Does what is due.
    fn look(self: &Rc<Self>) {
        let now = self.shared.time(Instant::now());
        for balancer in self.shared.balancers.load().upkept() {
            for (position, name) in balancer.names_due(now) {
                let (upkeep, balancer) = (Rc::clone(self), Arc::clone(balancer));
                tokio::task::spawn_local(async move {
                    let resolution = match upkeep.resolve(&name).await {
                        Ok(resolution) => Some(moongate_balancer::Resolution::clone(&resolution)),
                        Err(error) => {
                            tracing::warn!(%name, %error, "a target has no address");
                            None
                        }
                    };
                    let now = upkeep.shared.time(Instant::now());
                    balancer.resolved(position, resolution, now);
                    upkeep.shared.resolved.send_replace(());
                });
            }
            let probes = balancer.probes_due(now);
            if !probes.is_empty() {
                probe::run(&self.shared, balancer, probes);
            }
        }
    }

    async fn resolve(self: &Rc<Self>, name: &Arc<str>) -> Answer {
        if let Some(fixed) = self.shared.dns.fixed(name) {
            return Ok(Arc::new(fixed));
        }
        let (reply, answer) = oneshot::channel();
        self.ask(Arc::clone(name), Some(reply));
        answer.await.unwrap_or(Err(crate::dns::DnsError::Unanswered))
    }

    /// Asks name servers for a name, once for all who want to know.
    fn ask(self: &Rc<Self>, name: Arc<str>, reply: Option<oneshot::Sender<Answer>>) {
        let mut waiting = self.waiting.borrow_mut();
        match waiting.entry(Arc::clone(&name)) {
            hash_map::Entry::Occupied(mut others) => others.get_mut().extend(reply),
            hash_map::Entry::Vacant(nobody) => {
                nobody.insert(reply.into_iter().collect());
                let upkeep = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    let found = upkeep.resolver.resolve(&name).await;
                    let answer = upkeep.shared.dns.remember(&name, found);
                    let replies = upkeep.waiting.borrow_mut().remove(&name).unwrap_or_default();
                    for reply in replies {
                        let _ = reply.send(answer.clone());
                    }
                });
            }
        }
    }
}
