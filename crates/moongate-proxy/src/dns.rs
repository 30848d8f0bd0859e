//! Names of upstreams and their addresses, as all workers know them.
//!
//! Only one thread asks name servers, see [`crate::upkeep`]. Workers look into a common table and, where it has no
//! answer that is still good, ask that thread and wait. A connection that is kept open needs no name, so the table
//! is not on the way of most requests.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moongate_balancer::{Record, RecordType, Resolution};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How names of upstreams are resolved.
#[derive(Debug, Clone)]
pub struct ResolverOptions {
    /// Name servers; those of `/etc/resolv.conf` when empty.
    pub servers: Vec<SocketAddr>,
    /// A file with names and addresses that goes before name servers.
    pub hosts_file: Option<PathBuf>,
    /// What name servers are asked for. The first that has records wins.
    pub order: Vec<Query>,
    /// How long records are good, instead of what they say themselves.
    pub valid_ttl: Option<Duration>,
    /// How long after that they are still used while no name server answers.
    pub stale_ttl: Duration,
    /// How long a name that does not exist is not asked for again.
    pub not_found_ttl: Duration,
    /// How long a name is not asked for again when no name server answered.
    pub error_ttl: Duration,
    /// Names that are remembered.
    pub cache_size: usize,
    /// How long a name server may take; as `/etc/resolv.conf` says, or 5 seconds, when absent.
    pub timeout: Option<Duration>,
}

impl Default for ResolverOptions {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            hosts_file: Some("/etc/hosts".into()),
            order: vec![Query::Last, Query::Srv, Query::A, Query::Aaaa, Query::Cname],
            valid_ttl: None,
            stale_ttl: Duration::from_secs(3600),
            not_found_ttl: Duration::from_secs(30),
            error_ttl: Duration::from_secs(1),
            cache_size: 10_000,
            timeout: None,
        }
    }
}

/// A type of record that name servers are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// Whatever the name had the last time.
    Last,
    /// Services: addresses by way of other names, with ports, weights and priorities.
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Another name. It comes with the addresses, so that it is not asked for by itself.
    Cname,
}

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DnsError {
    #[error("the name does not exist or has no address")]
    NotFound,
    #[error("no name server answered")]
    Unanswered,
}

/// What a name was resolved to.
pub(crate) type Answer = Result<Arc<Resolution>, DnsError>;

/// What the thread that resolves names is asked.
pub(crate) enum Question {
    /// To resolve a name.
    Resolve { name: Arc<str>, reply: Option<oneshot::Sender<Answer>> },
    /// To look whether there is something to do.
    Look,
}

/// The table of names.
pub(crate) struct Dns {
    options: ResolverOptions,
    hosts: HashMap<String, Vec<IpAddr>>,
    cache: Mutex<HashMap<Arc<str>, Entry>>,
    questions: mpsc::UnboundedSender<Question>,
}

struct Entry {
    answer: Answer,
    expires: Instant,
}

impl Entry {
    /// Whether it is good for those alone who ask for it.
    fn is_volatile(&self) -> bool {
        self.answer.as_ref().is_ok_and(|resolution| resolution.ttl.is_zero())
    }
}

impl Dns {
    pub(crate) fn new(options: ResolverOptions) -> (Self, mpsc::UnboundedReceiver<Question>) {
        let (questions, receiver) = mpsc::unbounded_channel();
        let hosts = options.hosts_file.as_ref().and_then(|path| match std::fs::read_to_string(path) {
            Ok(text) => Some(read_hosts(&text)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot read the hosts file");
                None
            }
        });
        let hosts = hosts.unwrap_or_default();
        (Self { options, hosts, cache: Mutex::default(), questions }, receiver)
    }

    pub(crate) fn options(&self) -> &ResolverOptions {
        &self.options
    }

    /// The addresses to connect to for a host, the one to try first at the front.
    pub(crate) async fn addresses(
        &self,
        host: &str,
        port: u16,
        random: usize,
    ) -> Result<Vec<SocketAddr>, DnsError> {
        let answer = match self.known(host) {
            Some(answer) => answer,
            None => self.resolve(host).await,
        };
        let resolution = answer?;
        let socket = |record: &Record| SocketAddr::new(record.ip, record.port.unwrap_or(port));
        let mut addresses: Vec<_> = resolution.records.iter().map(socket).collect();
        let first = chosen(&resolution.records, random);
        let count = addresses.len();
        addresses.rotate_left(first.min(count));
        Ok(addresses)
    }

    /// Whether a host still has an address, as far as name servers say so now.
    pub(crate) async fn still_leads_to(&self, host: &str, port: u16, address: SocketAddr) -> bool {
        match self.addresses(host, port, 0).await {
            Ok(addresses) => addresses.contains(&address),
            Err(error) => error == DnsError::Unanswered,
        }
    }

    /// Whether what is known of a host is good for those alone who ask for it.
    pub(crate) fn is_volatile(&self, host: &str) -> bool {
        self.cache.lock().get(host).is_some_and(Entry::is_volatile)
    }

    /// Whether a host still has an address; also where nothing is known of it any more.
    pub(crate) fn leads_to(&self, host: &str, port: u16, address: SocketAddr) -> bool {
        match self.known(host) {
            Some(Ok(resolution)) => resolution
                .records
                .iter()
                .any(|record| record.ip == address.ip() && record.port.unwrap_or(port) == address.port()),
            Some(Err(DnsError::NotFound)) => false,
            Some(Err(DnsError::Unanswered)) => true,
            None => {
                let _ = self.questions.send(Question::Resolve { name: host.into(), reply: None });
                true
            }
        }
    }

    /// Makes the thread that resolves names look whether there is something to do.
    pub(crate) fn look(&self) {
        let _ = self.questions.send(Question::Look);
    }

    /// What is known without a name server: addresses, and what the hosts file says.
    pub(crate) fn fixed(&self, name: &str) -> Option<Resolution> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let ips: Vec<IpAddr> = if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse() {
            vec![ip]
        } else if let Some(ips) = self.hosts.get(&name.to_ascii_lowercase()) {
            // As with name servers, IPv6 counts only where there is nothing else.
            let wanted = |ip: &&IpAddr| ip.is_ipv4() || ips.iter().all(IpAddr::is_ipv6);
            ips.iter().filter(wanted).copied().collect()
        } else if name.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into()]
        } else {
            return None;
        };
        let kind = if ips.iter().all(IpAddr::is_ipv6) { RecordType::Aaaa } else { RecordType::A };
        let record = |ip| Record { ip, port: None, weight: None, name: None };
        Some(Resolution { kind, records: ips.into_iter().map(record).collect(), ttl: FIXED_TTL })
    }

    /// An answer that is good. One that has just expired is used once more while another is asked for, but not one that was
    /// never good for any time.
    fn known(&self, name: &str) -> Option<Answer> {
        let now = Instant::now();
        let (name, answer) = {
            let cache = self.cache.lock();
            let (name, entry) = cache.get_key_value(name)?;
            if now < entry.expires {
                return Some(entry.answer.clone());
            }
            if entry.is_volatile() || entry.answer.is_err() || now >= entry.expires + self.options.stale_ttl {
                return None;
            }
            (Arc::clone(name), entry.answer.clone())
        };
        let _ = self.questions.send(Question::Resolve { name, reply: None });
        Some(answer)
    }

    async fn resolve(&self, name: &str) -> Answer {
        if let Some(resolution) = self.fixed(name) {
            return Ok(Arc::new(resolution));
        }
        self.ask(name.into()).await.unwrap_or(Err(DnsError::Unanswered))
    }

    /// Asks name servers for a name.
    pub(crate) fn ask(&self, name: Arc<str>) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        let _ = self.questions.send(Question::Resolve { name, reply: Some(reply) });
        answer
    }

    /// Remembers an answer, and gives back what is to be used: where no name server answered, that is what was
    /// known before.
    pub(crate) fn remember(&self, name: &Arc<str>, answer: Result<Resolution, DnsError>) -> Answer {
        let now = Instant::now();
        let mut cache = self.cache.lock();
        let options = &self.options;
        let entry = match answer {
            Ok(mut resolution) => {
                resolution.ttl = options.valid_ttl.unwrap_or(resolution.ttl);
                let expires = now + resolution.ttl;
                Entry { answer: Ok(Arc::new(resolution)), expires }
            }
            Err(DnsError::NotFound) => {
                Entry { answer: Err(DnsError::NotFound), expires: now + options.not_found_ttl }
            }
            Err(DnsError::Unanswered) => match cache.get(name) {
                Some(Entry { answer: Ok(old), expires }) if now < *expires + options.stale_ttl => {
                    let stale = Resolution { ttl: options.error_ttl, ..Resolution::clone(old) };
                    let answer = Ok(Arc::new(stale));
                    if !old.ttl.is_zero() {
                        return answer;
                    }
                    // Not every request waits for a name server that is silent.
                    Entry { answer, expires: now + options.error_ttl }
                }
                _ => Entry { answer: Err(DnsError::Unanswered), expires: now + options.error_ttl },
            },
        };
        let answer = entry.answer.clone();
        if cache.len() >= options.cache_size && !cache.contains_key(name) {
            cache.retain(|_, entry| now < entry.expires);
            if cache.len() >= options.cache_size {
                return answer;
            }
        }
        cache.insert(Arc::clone(name), entry);
        answer
    }
}

/// The position of the record that comes first: each as often as its weight says.
fn chosen(records: &[Record], random: usize) -> usize {
    let weight = |record: &Record| usize::from(record.weight.unwrap_or(1).max(1));
    let total: usize = records.iter().map(weight).sum();
    let mut place = random % total.max(1);
    for (at, record) in records.iter().enumerate() {
        if place < weight(record) {
            return at;
        }
        place -= weight(record);
    }
    0
}

/// The names of a hosts file with their addresses.
fn read_hosts(text: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut hosts: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(ip) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words {
            let ips = hosts.entry(name.to_ascii_lowercase()).or_default();
            if !ips.contains(&ip) {
                ips.push(ip);
            }
        }
    }
    hosts
}

/// How long what needs no name server is good; it does not change while the gateway runs.
const FIXED_TTL: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_gives_all_names_of_a_line_and_prefers_ipv4() {
        let file = std::env::temp_dir().join(format!("moongate-hosts-{}", std::process::id()));
        std::fs::write(
            &file,
            "# a comment\n127.0.0.1 localhost one # more\n::1 localhost six\n10.0.0.1\tOne\n",
        )
        .unwrap();
        let (dns, _) =
            Dns::new(ResolverOptions { hosts_file: Some(file.clone()), ..ResolverOptions::default() });
        std::fs::remove_file(file).unwrap();
        let ips = |name: &str| {
            dns.fixed(name)
                .map(|found| found.records.iter().map(|record| record.ip.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(ips("localhost").unwrap(), ["127.0.0.1"]);
        assert_eq!(ips("ONE.").unwrap(), ["127.0.0.1", "10.0.0.1"]);
        assert_eq!(ips("six").unwrap(), ["::1"]);
        assert_eq!(ips("[::1]").unwrap(), ["::1"]);
        assert_eq!(ips("10.9.8.7").unwrap(), ["10.9.8.7"]);
        assert_eq!(ips("two"), None);
        assert_eq!(dns.fixed("six").unwrap().kind, RecordType::Aaaa);
    }

    #[test]
    fn records_come_first_as_often_as_their_weight_says() {
        let record = |weight| Record { ip: Ipv4Addr::LOCALHOST.into(), port: None, weight, name: None };
        let records = [record(Some(1)), record(Some(3)), record(Some(0))];
        let firsts: Vec<_> = (0..10).map(|random| chosen(&records, random)).collect();
        assert_eq!(firsts, [0, 1, 1, 1, 2, 0, 1, 1, 1, 2]);
        assert_eq!(chosen(&[], 5), 0);
    }

    fn a(ip: [u8; 4], ttl: u64) -> Resolution {
        let record = Record { ip: ip.into(), port: None, weight: None, name: None };
        Resolution { kind: RecordType::A, records: vec![record], ttl: Duration::from_secs(ttl) }
    }

    #[tokio::test(start_paused = true)]
    async fn what_expired_is_used_while_name_servers_are_silent_and_not_when_the_name_is_gone() {
        let (dns, mut questions) = Dns::new(ResolverOptions::default());
        let name: Arc<str> = "a.test".into();
        dns.remember(&name, Ok(a([10, 0, 0, 1], 60))).unwrap();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(dns.known("a.test").unwrap().is_ok());
        assert!(questions.try_recv().is_err());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(dns.known("a.test").unwrap().is_ok());
        assert!(matches!(questions.try_recv(), Ok(Question::Resolve { reply: None, .. })));
        assert!(dns.remember(&name, Err(DnsError::Unanswered)).is_ok());
        assert_eq!(dns.remember(&name, Err(DnsError::NotFound)), Err(DnsError::NotFound));
        assert_eq!(dns.known("a.test"), Some(Err(DnsError::NotFound)));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(dns.known("a.test"), None, "it is asked for again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_good_for_no_time_is_asked_for_each_time_unless_name_servers_are_silent() {
        let (dns, _questions) = Dns::new(ResolverOptions::default());
        let name: Arc<str> = "a.test".into();
        dns.remember(&name, Ok(a([10, 0, 0, 1], 0))).unwrap();
        assert!(dns.is_volatile("a.test"));
        assert_eq!(dns.known("a.test"), None);
        assert!(dns.remember(&name, Err(DnsError::Unanswered)).is_ok());
        assert!(dns.known("a.test").unwrap().is_ok() && !dns.is_volatile("a.test"));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(dns.known("a.test").unwrap().is_ok(), "it is used while it is asked for");
    }

    #[tokio::test(start_paused = true)]
    async fn what_expired_long_ago_is_not_used() {
        let (dns, _questions) = Dns::new(ResolverOptions::default());
        let name: Arc<str> = "a.test".into();
        dns.remember(&name, Ok(a([10, 0, 0, 1], 60))).unwrap();
        tokio::time::advance(Duration::from_secs(3660)).await;
        assert_eq!(dns.known("a.test"), None);
        assert_eq!(dns.remember(&name, Err(DnsError::Unanswered)), Err(DnsError::Unanswered));
    }
}
