//! gRPC between a client and a server of tonic, each with the HTTP/2 and the TLS that it brings.

mod codec;
mod server;

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, iter, pending, poll_fn, repeat};
use http::uri::PathAndQuery;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use moongate_balancer::HealthWord;
use moongate_model::{Protocol, Service, pki};
use moongate_proxy::TlsIdentity;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::certificates::Authority;
use crate::entities::{all_to, declared};
use crate::gateway::Gateway;
use codec::Plain;
use server::{Server, numbered, refusal};

/// How long what is to happen may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client, a gateway and a server.
struct Setting {
    client: Grpc<Channel>,
    gateway: Gateway,
    server: Server,
}

impl Setting {
    /// With plain connections, and with verified ones over TLS.
    async fn both() -> [Self; 2] {
        [Self::plain().await, Self::tls().await]
    }

    async fn plain() -> Self {
        let server = Server::start(None);
        let gateway = Gateway::start_with(
            all_to(server.address, Protocol::Grpc, |service, route| {
                patient(service);
                route.protocols = vec![Protocol::Grpc];
            }),
            |options| options.workers = 1,
        );
        let endpoint = Channel::from_shared(format!("http://{}", gateway.plain_http2())).unwrap();
        Self { client: Grpc::new(endpoint.connect().await.unwrap()), gateway, server }
    }

    async fn tls() -> Self {
        let authority = Authority::new("ca");
        let server = Server::start(Some(&authority.issue(&["localhost"])));
        let entities = all_to(server.address, Protocol::Grpcs, |service, route| {
            service.host = "localhost".to_owned();
            service.tls_verify = Some(true);
            patient(service);
            route.protocols = vec![Protocol::Grpcs];
        });
        let shown = authority.issue(&["gw.test"]);
        let gateway = Gateway::start_with(entities, |options| {
            options.workers = 1;
            options.tls.default_certificates = vec![TlsIdentity::from_pem(&shown.cert, &shown.key).unwrap()];
            options.upstream_tls.trusted = vec![pki::certificate_chain(&authority.cert).unwrap()[0].to_vec()];
            options.upstream_tls.trust_system = false;
        });
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&authority.cert))
            .domain_name("gw.test");
        let endpoint = Channel::from_shared(format!("https://{}", gateway.tls())).unwrap();
        let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
        Self { client: Grpc::new(channel), gateway, server }
    }

    /// A client that is ready, as tonic wants it before each call.
    async fn client(&self) -> Grpc<Channel> {
        let mut client = self.client.clone();
        client.ready().await.unwrap();
        client
    }

    async fn told(&mut self) -> String {
        timeout(PATIENCE, self.server.told()).await.expect("the server should tell something")
    }
}

/// Leaves the end of a call to its client and its server.
fn patient(service: &mut Service) {
    (service.read_timeout, service.write_timeout) = (60_000, 60_000);
}

fn method(name: &str) -> PathAndQuery {
    format!("/test.Calls/{name}").parse().unwrap()
}

/// A stream of messages that the test sends when it wants to.
fn messages() -> (UnboundedSender<Bytes>, impl Stream<Item = Bytes>) {
    let (sender, mut receiver) = unbounded_channel();
    (sender, poll_fn(move |cx| receiver.poll_recv(cx)))
}

/// That the server's refusal came whole.
fn is_refusal(status: &Status) {
    let expected = refusal();
    assert_eq!(
        (status.code(), status.message(), status.details()),
        (expected.code(), expected.message(), expected.details())
    );
    assert_eq!(status.metadata().get("reason").unwrap(), "closed");
}

#[tokio::test]
async fn a_call_takes_metadata_there_and_brings_metadata_back() {
    for setting in Setting::both().await {
        for length in [0, 3, 1_000_000] {
            let message = Bytes::from(vec![b'm'; length]);
            let binary = MetadataValue::from_bytes(&[0, 127, 128, 255]);
            let mut request = Request::new(message.clone());
            request.metadata_mut().append("asked", "one, two".parse().unwrap());
            request.metadata_mut().append("asked", "three".parse().unwrap());
            request.metadata_mut().insert_bin("asked-bin", binary.clone());
            let answer = setting.client().await.unary(request, method("Greet"), Plain).await.unwrap();
            let values: Vec<_> = answer.metadata().get_all("answered").iter().collect();
            assert_eq!(values, ["one, two", "three"]);
            assert_eq!(answer.metadata().get_bin("answered-bin").unwrap(), binary);
            assert_eq!(*answer.get_ref(), message);
        }
    }
}

#[tokio::test]
async fn a_call_that_reaches_no_server_goes_to_another_target_and_counts_against_the_first() {
    const ID: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let server = Server::start(None);
    let gateway = Gateway::start_with(
        declared(&format!(
            "services: [{{name: s, protocol: grpc, host: up.test, routes: [{{name: r, paths: [/], protocols: [grpc]}}]}}]\n\
             upstreams: [{{id: {ID}, name: up.test, targets: [{{target: '{nobody}'}}, {{target: '{}'}}],\n  \
             healthchecks: {{passive: {{type: tcp, unhealthy: {{tcp_failures: 2}}, healthy: {{successes: 1}}}}}}}}]",
            server.address
        )),
        |options| options.workers = 1,
    );
    let endpoint = Channel::from_shared(format!("http://{}", gateway.plain_http2())).unwrap();
    let mut client = Grpc::new(endpoint.connect().await.unwrap());
    for _ in 0..6 {
        client.ready().await.unwrap();
        let mut request = Request::new(Bytes::from_static(b"m"));
        request.metadata_mut().insert_bin("asked-bin", MetadataValue::from_bytes(b""));
        let answer = client.unary(request, method("Greet"), Plain).await;
        assert_eq!(*answer.unwrap().get_ref(), "m");
    }
    let mut health = gateway.targets_health(ID);
    health.sort_by_key(|health| *health == HealthWord::Healthy);
    assert_eq!(health, [HealthWord::Unhealthy, HealthWord::Healthy]);
}

#[tokio::test]
async fn a_call_that_is_refused_says_so_with_message_details_and_metadata() {
    for setting in Setting::both().await {
        let call = Request::new(Bytes::new());
        is_refusal(&setting.client().await.unary(call, method("Refuse"), Plain).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_client_is_told_what_goes_wrong_in_the_gateway() {
    let Setting { mut client, gateway, .. } = Setting::plain().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    gateway.publish(all_to(nobody, Protocol::Grpc, |_, route| {
        route.protocols = vec![Protocol::Grpc];
        route.paths = Some(vec!["/test.Calls/".to_owned()]);
    }));
    for (path, code, message) in [
        (method("Greet"), Code::Internal, "An invalid response was received from the upstream server"),
        (PathAndQuery::from_static("/none"), Code::NotFound, "no Route matched with those values"),
    ] {
        client.ready().await.unwrap();
        let status = client.unary(Request::new(Bytes::new()), path, Plain).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message));
    }
}

#[tokio::test]
async fn a_server_sends_message_after_message_and_then_its_status() {
    for setting in Setting::both().await {
        let call = Request::new(Bytes::from_static(b"40"));
        let answer = setting.client().await.server_streaming(call, method("Count"), Plain).await.unwrap();
        let mut answers = answer.into_inner();
        for number in 0..40 {
            assert_eq!(answers.message().await.unwrap().unwrap(), numbered(number));
        }
        is_refusal(&answers.message().await.unwrap_err());
    }
}

#[tokio::test]
async fn a_client_sends_message_after_message_before_the_answer() {
    for setting in Setting::both().await {
        let call = Request::new(iter((0..40).map(numbered)));
        let answer = setting.client().await.client_streaming(call, method("Collect"), Plain).await.unwrap();
        assert_eq!(answer.into_inner(), format!("40 messages of {} bytes", 20_000 * 39 * 40 / 2));
    }
}

#[tokio::test]
async fn a_server_may_refuse_before_the_client_has_sent_everything() {
    for setting in Setting::both().await {
        // Whether the client is silent by then, or still sending as fast as it can.
        for rest in [pending().boxed(), repeat(numbered(1)).boxed()] {
            let sent = iter([Bytes::from_static(b"one"), Bytes::from_static(b"enough")]).chain(rest);
            let mut client = setting.client().await;
            let call =
                client.client_streaming::<_, _, Bytes, _>(Request::new(sent), method("Collect"), Plain);
            is_refusal(&timeout(PATIENCE, call).await.unwrap().unwrap_err());
        }
    }
}

#[tokio::test]
async fn messages_of_a_call_go_both_ways_before_either_side_has_ended() {
    for setting in Setting::both().await {
        let (sender, sent) = messages();
        let mut client = setting.client().await;
        // The server says the first word: the client has sent nothing but the head.
        let call = timeout(PATIENCE, client.streaming(Request::new(sent), method("Chat"), Plain)).await;
        let mut answers = call.unwrap().unwrap().into_inner();
        let mut next = async || timeout(PATIENCE, answers.message()).await.unwrap().unwrap();
        assert_eq!(next().await.unwrap(), "welcome");
        for number in [0, 1, 20, 3] {
            sender.send(numbered(number)).unwrap();
            assert_eq!(next().await.unwrap(), numbered(number));
        }
        drop(sender);
        assert_eq!(next().await.unwrap(), "goodbye");
        assert_eq!(next().await, None);
    }
}

#[tokio::test]
async fn a_call_ends_on_both_sides_when_its_deadline_passes() {
    for mut setting in Setting::both().await {
        let mut request = Request::new(Bytes::new());
        request.set_timeout(Duration::from_millis(300));
        let mut client = setting.client().await;
        let call = client.unary::<_, Bytes, _>(request, method("Wait"), Plain);
        let status = timeout(PATIENCE, call).await.unwrap().unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Cancelled, "Timeout expired"));
        assert_eq!(setting.told().await, "called, with the timeout 300000u");
        assert_eq!(setting.told().await, "given up");
    }
}

#[tokio::test]
async fn a_client_without_a_clock_is_told_by_the_server_that_the_deadline_passed() {
    let mut setting = Setting::plain().await;
    let stream = TcpStream::connect(setting.gateway.plain_http2()).await.unwrap();
    let (sender, connection) =
        http2::handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // Unlike tonic's channel, this does not look at the deadline.
    let service = tower::service_fn(move |request| sender.clone().send_request(request));
    let mut client = Grpc::with_origin(service, "http://gw.test".parse().unwrap());
    let mut request = Request::new(Bytes::new());
    request.set_timeout(Duration::from_millis(300));
    let call = client.unary::<_, Bytes, _>(request, method("Wait"), Plain);
    let status = timeout(PATIENCE, call).await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Cancelled, "Timeout expired"));
    assert_eq!(status.metadata().get("content-type").unwrap(), "application/grpc");
    assert_eq!(setting.told().await, "called, with the timeout 300000u");
    assert_eq!(setting.told().await, "given up");
}

#[tokio::test]
async fn the_server_sees_that_a_client_cancels_and_other_calls_go_on() {
    for mut setting in Setting::both().await {
        let (sender, sent) = messages();
        let chat = setting.client().await.streaming(Request::new(sent), method("Chat"), Plain).await;
        let mut chat = chat.unwrap().into_inner();
        assert_eq!(chat.message().await.unwrap().unwrap(), "welcome");

        // Before there is an answer.
        let mut client = setting.client().await;
        let waiting = tokio::spawn(async move {
            client.unary::<_, Bytes, _>(Request::new(Bytes::new()), method("Wait"), Plain).await
        });
        assert_eq!(setting.told().await, "called, with the timeout none");
        waiting.abort();
        assert_eq!(setting.told().await, "given up");

        // While messages come, which the client does not read.
        let call = Request::new(Bytes::new());
        let mut client = setting.client().await;
        let mut poured = client.server_streaming(call, method("Pour"), Plain).await.unwrap().into_inner();
        assert_eq!(poured.message().await.unwrap().unwrap(), vec![b'x'; 1000]);
        drop(poured);
        assert_eq!(setting.told().await, "given up");

        // While either side could say more. Dropping the call would not do: tonic sends on until it is told.
        let mut request = Request::new(pending::<Bytes>());
        let handle = request.cancellation_handle();
        let mut client = setting.client().await;
        let answers = client.streaming::<_, _, Bytes, _>(request, method("Listen"), Plain).await.unwrap();
        handle.cancel();
        assert_eq!(setting.told().await, "given up");
        drop(answers);

        sender.send("still here".into()).unwrap();
        assert_eq!(chat.message().await.unwrap().unwrap(), "still here");
    }
}
