use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use parking_lot::Mutex;

/// A name server for `.test`, over UDP.
pub(super) struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Default)]
struct Zone {
    records: HashMap<String, Vec<(RData, u32)>>,
    /// The questions so far: name and type.
    asked: Vec<(String, RecordType)>,
    silent: bool,
}

impl NameServer {
    pub(super) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::<Mutex<Zone>>::default();
        let answering = Arc::clone(&zone);
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((read, peer)) = socket.recv_from(&mut buffer) {
                let question = Message::from_vec(&buffer[..read]).unwrap();
                if let Some(answer) = answer(&question, &mut answering.lock()) {
                    socket.send_to(&answer.to_vec().unwrap(), peer).unwrap();
                }
            }
        });
        Self { address, zone }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn set_addresses(&self, name: &str, ips: &[[u8; 4]], ttl: u32) {
        let records = ips.iter().map(|ip| (RData::A(A(Ipv4Addr::from(*ip))), ttl)).collect();
        self.zone.lock().records.insert(format!("{name}."), records);
    }

    /// Each service is a priority, a weight, a port and a name.
    pub(super) fn set_services(&self, name: &str, services: &[(u16, u16, u16, &str)], ttl: u32) {
        let service = |(priority, weight, port, target): &(u16, u16, u16, &str)| {
            let target = Name::from_ascii(format!("{target}.")).unwrap();
            (RData::SRV(SRV::new(*priority, *weight, *port, target)), ttl)
        };
        self.zone.lock().records.insert(format!("{name}."), services.iter().map(service).collect());
    }

    pub(super) fn remove(&self, name: &str) {
        self.zone.lock().records.remove(&format!("{name}."));
    }

    pub(super) fn set_silent(&self, silent: bool) {
        self.zone.lock().silent = silent;
    }

    /// How often a name was asked for.
    pub(super) fn asked(&self, name: &str) -> usize {
        let name = format!("{name}.");
        self.zone.lock().asked.iter().filter(|asked| **asked == (name.clone(), RecordType::SRV)).count()
    }
}

fn answer(question: &Message, zone: &mut Zone) -> Option<Message> {
    let query = question.queries.first()?;
    let name = query.name().to_ascii().to_ascii_lowercase();
    zone.asked.push((name.clone(), query.query_type()));
    if zone.silent {
        return None;
    }
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_query(query.clone());
    match zone.records.get(&name) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(records) => {
            for (data, ttl) in records.iter().filter(|(data, _)| data.record_type() == query.query_type()) {
                answer.add_answer(Record::from_rdata(query.name().clone(), *ttl, data.clone()));
            }
        }
    }
    Some(answer)
}
