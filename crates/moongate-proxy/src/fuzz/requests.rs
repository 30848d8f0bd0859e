//! Requests of any kind against a whole proxy, with an upstream that is strict about what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use moongate_model::{Entities, HttpsRedirectStatus, PathHandling, Protocol, Reference, Route, Service};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::idle_plugins::IdlePlugins;
use crate::{ListenAddress, Proxy, ProxyOptions, Snapshot};

/// Whatever a client sends, the upstream gets whole requests, each with the gateway's own headers and one length.
pub fn requests(bytes: &[u8]) {
    let world = &*WORLD;
    let mut stream = TcpStream::connect(world.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The gateway may have answered and closed before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the connection stays open");
    }
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    if let Some(complaint) = world.complaint.lock().take() {
        panic!("{complaint}");
    }
}

/// The proxy and what its upstream has to complain about.
struct World {
    address: SocketAddr,
    complaint: Arc<Mutex<Option<String>>>,
    _proxy: Proxy<IdlePlugins>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let complaint = Arc::new(Mutex::new(None));
    let told = Arc::clone(&complaint);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let told = Arc::clone(&told);
            std::thread::spawn(move || {
                if let Err(complaint) = serve(&stream) {
                    *told.lock() = Some(complaint);
                }
            });
        }
    });
    let options = ProxyOptions {
        listen: vec![ListenAddress::new((Ipv4Addr::LOCALHOST, 0).into())],
        client_header_timeout: Duration::from_secs(1),
        ..ProxyOptions::default()
    };
    let plugins = Arc::new(IdlePlugins::default());
    let snapshot = Snapshot::build(Arc::new(entities(port)), &*plugins).unwrap();
    let proxy = Proxy::start(options, plugins, snapshot).unwrap();
    World { address: proxy.addresses()[0], complaint, _proxy: proxy }
});

/// Answers requests until the connection ends, or says what is wrong with one.
fn serve(stream: &TcpStream) -> Result<(), String> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let line = head.len();
            if reader.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return if head.is_empty() { Ok(()) } else { Err(format!("half a head: {head:?}")) };
            }
            let line = &head[line..];
            if !line.ends_with(b"\r\n") || line[..line.len() - 2].iter().any(|byte| matches!(byte, b'\r' | 0))
            {
                return Err(format!("a broken line: {}", line.escape_ascii()));
            }
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let values = |name: &str| -> Vec<String> {
            let lines = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
            lines
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
                .collect()
        };
        let wrong = |what: &str| Err(format!("{what}: {}", head.escape_ascii()));
        let line: Vec<&str> = text.split("\r\n").next().unwrap_or_default().split(' ').collect();
        if line.len() != 3 || !line[1].starts_with('/') || line[2] != "HTTP/1.1" {
            return wrong("a broken request line");
        }
        if values("x-kong-request-id").len() != 1 || values("host").len() != 1 || values("via").len() != 1 {
            return wrong("not a request of the gateway's");
        }
        let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => {}
            ([length], []) => {
                let length: u64 = length.parse().map_err(|_| format!("a length of {length}"))?;
                let read = std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).unwrap_or(0);
                if read < length {
                    // The client broke off, and so does the gateway.
                    return Ok(());
                }
            }
            ([], [coding]) if coding == "chunked" => return wrong("a body that was to be kept"),
            _ => return wrong("two lengths"),
        }
        if (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err() {
            return Ok(());
        }
    }
}

fn entities(port: u16) -> Entities {
    let service = Service {
        id: Uuid::from_u128(1),
        name: None,
        created_at: 0,
        updated_at: 0,
        retries: 0,
        protocol: Protocol::Http,
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
        path: None,
        connect_timeout: 5000,
        write_timeout: 5000,
        read_timeout: 5000,
        tags: None,
        client_certificate: None,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: None,
        enabled: true,
    };
    let route = Route {
        id: Uuid::from_u128(2),
        name: None,
        created_at: 0,
        updated_at: 0,
        protocols: vec![Protocol::Http],
        methods: None,
        hosts: None,
        paths: Some(vec!["/".to_owned()]),
        headers: None,
        snis: None,
        sources: None,
        destinations: None,
        https_redirect_status_code: HttpsRedirectStatus::UpgradeRequired,
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        tags: None,
        service: Some(Reference { id: service.id }),
        expression: None,
        priority: None,
    };
    Entities { services: vec![service].into(), routes: vec![route].into(), ..Entities::default() }
}
