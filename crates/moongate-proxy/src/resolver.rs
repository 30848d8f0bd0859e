//! Asks name servers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{RData, RecordType as Type};
use hickory_resolver::{TokioResolver, system_conf};
use moongate_balancer::{Record, RecordType, Resolution};

use crate::dns::{DnsError, Query, ResolverOptions};

/// Asks name servers. What they answer is remembered by [`crate::dns::Dns`].
pub(crate) struct Resolver {
    /// `None` when no name server is configured.
    client: Option<TokioResolver>,
    order: Vec<Query>,
    /// What names had the last time, where that counts.
    last: RefCell<HashMap<String, Query>>,
    /// Names that are remembered.
    capacity: usize,
}

impl Resolver {
    pub(crate) fn new(options: &ResolverOptions) -> Self {
        Self {
            client: client(options),
            order: options.order.clone(),
            last: RefCell::default(),
            capacity: options.cache_size,
        }
    }

    /// The addresses of a name.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Resolution, DnsError> {
        let client = self.client.as_ref().ok_or(DnsError::Unanswered)?;
        let mut error = DnsError::NotFound;
        for query in self.order_for(name) {
            let found = match query {
                Query::Srv => services(client, name).await,
                Query::A => addresses(client, name, Type::A).await,
                Query::Aaaa => addresses(client, name, Type::AAAA).await,
                Query::Last | Query::Cname => continue,
            };
            match found {
                Ok(resolution) if !resolution.records.is_empty() => {
                    self.remember(name, query);
                    return Ok(resolution);
                }
                Ok(_) => {}
                Err(failure) if failure.is_no_records_found() => {}
                Err(failure) => {
                    tracing::debug!(name, %failure, "a name server did not answer");
                    error = DnsError::Unanswered;
                    // The next question would take as long.
                    if matches!(failure, NetError::Timeout) {
                        break;
                    }
                }
            }
        }
        Err(error)
    }

    /// What to ask for, each type of record once.
    fn order_for(&self, name: &str) -> Vec<Query> {
        let mut order = Vec::with_capacity(self.order.len());
        for query in &self.order {
            let query = match query {
                Query::Last => self.last.borrow().get(name).copied(),
                query => Some(*query),
            };
            order.extend(query.filter(|query| !order.contains(query)));
        }
        order
    }

    fn remember(&self, name: &str, query: Query) {
        if self.order.contains(&Query::Last) {
            let mut last = self.last.borrow_mut();
            if last.len() >= self.capacity {
                last.clear();
            }
            last.insert(name.to_owned(), query);
        }
    }
}

fn client(options: &ResolverOptions) -> Option<TokioResolver> {
    let (config, mut settings) = match system_conf::read_system_conf() {
        Ok(system) => system,
        Err(_) if !options.servers.is_empty() => (ResolverConfig::default(), ResolverOpts::default()),
        Err(error) => {
            tracing::warn!(%error, "no name servers: /etc/resolv.conf cannot be read");
            return None;
        }
    };
    let config = if options.servers.is_empty() {
        config
    } else {
        let (domain, search, _) = config.into_parts();
        let servers = options.servers.iter().map(|address| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            for connection in &mut server.connections {
                connection.port = address.port();
            }
            server
        });
        ResolverConfig::from_parts(domain, search, servers.collect())
    };
    settings.cache_size = 0;
    settings.timeout = options.timeout.unwrap_or(settings.timeout);
    settings.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    match builder.with_options(settings).build() {
        Ok(client) => Some(client),
        Err(error) => {
            tracing::warn!(%error, "no name servers");
            None
        }
    }
}

async fn addresses(client: &TokioResolver, name: &str, kind: Type) -> Result<Resolution, NetError> {
    let lookup = client.lookup(name, kind).await?;
    let mut ttl = u32::MAX;
    let mut records = Vec::new();
    // Aliases on the way to the addresses are among the answers, and count for how long they are good.
    for answer in lookup.answers() {
        ttl = ttl.min(answer.ttl);
        if let Some(ip) = ip(&answer.data) {
            records.push(Record { ip, port: None, weight: None, name: None });
        }
    }
    let kind = if kind == Type::AAAA { RecordType::Aaaa } else { RecordType::A };
    Ok(Resolution { kind, records, ttl: Duration::from_secs(ttl.into()) })
}

/// The addresses of the services with the best priority.
async fn services(client: &TokioResolver, name: &str) -> Result<Resolution, NetError> {
    let lookup = client.lookup(name, Type::SRV).await?;
    let services = || {
        lookup.answers().iter().filter_map(|answer| match &answer.data {
            RData::SRV(service) => Some((service, answer.ttl)),
            _ => None,
        })
    };
    let best = services().map(|(service, _)| service.priority).min();
    let mut ttl = Duration::from_secs(services().map(|(_, ttl)| ttl).min().unwrap_or(0).into());
    let mut records = Vec::new();
    for (service, _) in services().filter(|(service, _)| Some(service.priority) == best) {
        let SRV { weight, port, target, .. } = service;
        let host = target.to_utf8();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let found = match addresses(client, &target.to_utf8(), Type::A).await {
            Ok(found) => found,
            Err(_) => match addresses(client, &target.to_utf8(), Type::AAAA).await {
                Ok(found) => found,
                // The others may do.
                Err(error) if error.is_no_records_found() => continue,
                Err(error) => return Err(error),
            },
        };
        ttl = ttl.min(found.ttl);
        let name: Arc<str> = host.into();
        records.extend(found.records.into_iter().map(|record| Record {
            port: Some(*port),
            weight: Some((*weight).max(1)),
            name: Some(Arc::clone(&name)),
            ..record
        }));
    }
    Ok(Resolution { kind: RecordType::Srv, records, ttl })
}

fn ip(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_first_asked_for_what_it_had_the_last_time() {
        let options = ResolverOptions { cache_size: 2, ..ResolverOptions::default() };
        let resolver = Resolver::new(&options);
        let rest = [Query::Srv, Query::A, Query::Aaaa, Query::Cname];
        assert_eq!(resolver.order_for("a.test"), rest);
        resolver.remember("a.test", Query::A);
        assert_eq!(resolver.order_for("a.test"), [Query::A, Query::Srv, Query::Aaaa, Query::Cname]);
        assert_eq!(resolver.order_for("b.test"), rest);
        for name in ["b.test", "c.test"] {
            resolver.remember(name, Query::Aaaa);
        }
        assert_eq!(resolver.order_for("a.test"), rest, "there was no room for it any more");
    }
}
