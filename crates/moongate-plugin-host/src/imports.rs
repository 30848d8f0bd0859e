//! The host's side of what guests import.
//!
//! Each function does one small thing for the request at hand, without waiting and without copying more than it
//! was asked for. Everything of WASI that is linked leads into an empty room: clocks and random numbers work,
//! output goes to the log, there are no files, no sockets and no environment.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, Version};
use moongate_hooks::{
    BodyError, BodyView, Exchange, HeaderEdit, HeaderError, MAX_LINES, Source, parse_header,
    parse_header_name,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime::error::format_err;
use wasmtime_wasi::{WasiView, cli::WasiCli, clocks::WasiClocks, random::WasiRandom};

use crate::bindings::{
    consumers, context, counters, crypto, entities, http as contract, http_client, kv, log, metrics, secrets,
};
use crate::output;
use crate::settings::bounds;
use crate::state::{GuestState, RequestHandle, ResponseHandle};

/// Links everything that a plugin may import. What needs a grant is checked at admission.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    contract::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    context::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    consumers::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    counters::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    crypto::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    entities::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    http_client::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    kv::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    metrics::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    secrets::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    link_wasi(linker)
}

/// The interfaces of WASI that language runtimes cannot do without.
pub(crate) const WASI: [&str; 18] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

fn link_wasi(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::WasiCliView;
    use wasmtime_wasi::clocks::WasiClocksView;
    use wasmtime_wasi::p2::bindings::{cli, clocks, random};

    // The asynchronous forms: a guest that waits is suspended, and its worker goes on.
    wasmtime_wasi_io::add_to_linker_async(linker)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, GuestState::clocks)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, GuestState::clocks)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |state| state.ctx().ctx.random())?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, GuestState::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, GuestState::cli)
}

impl GuestState {
    pub(crate) fn exchange(&mut self) -> wasmtime::Result<&mut Exchange> {
        self.exchange.as_deref_mut().ok_or_else(|| format_err!("there is no request to look at"))
    }

    fn response(&mut self) -> wasmtime::Result<&mut http::response::Parts> {
        self.exchange()?.response.as_mut().ok_or_else(|| format_err!("there is no response yet"))
    }
}

type Checked<T> = wasmtime::Result<T>;
type HeaderResult = wasmtime::Result<Result<(), contract::HeaderError>>;

impl contract::Host for GuestState {}

impl contract::HostRequest for GuestState {
    fn method(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(self.exchange()?.request.method.as_str().to_owned())
    }

    fn scheme(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(if self.exchange()?.client.tls { "https" } else { "http" }.to_owned())
    }

    fn host(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        let request = &self.exchange()?.request;
        let host = request.headers.get(http::header::HOST).map(|host| text(host.as_bytes()));
        Ok(host.or_else(|| request.uri.authority().map(ToString::to_string)))
    }

    fn version(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(match self.exchange()?.request.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        }
        .to_owned())
    }

    fn port(&mut self, _: Resource<RequestHandle>) -> Checked<u16> {
        Ok(self.exchange()?.client.port)
    }

    fn path(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(self.exchange()?.request.uri.path().to_owned())
    }

    fn normalised_path(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        let exchange = self.exchange()?;
        let normal = exchange.details.as_deref().and_then(|details| details.normal_path.as_deref());
        Ok(normal.unwrap_or_else(|| exchange.request.uri.path()).to_owned())
    }

    fn query(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        Ok(self.exchange()?.request.uri.query().map(str::to_owned))
    }

    fn header(&mut self, _: Resource<RequestHandle>, name: String) -> Checked<Option<Vec<u8>>> {
        Ok(first(&self.exchange()?.request.headers, &name))
    }

    fn header_values(&mut self, _: Resource<RequestHandle>, name: String) -> Checked<Vec<Vec<u8>>> {
        Ok(all(&self.exchange()?.request.headers, &name))
    }

    fn headers(&mut self, _: Resource<RequestHandle>) -> Checked<Vec<contract::Header>> {
        Ok(list(&self.exchange()?.request.headers))
    }

    fn client_address(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(self.exchange()?.client.address.to_string())
    }

    fn peer(&mut self, _: Resource<RequestHandle>) -> Checked<(String, u16)> {
        let peer = self.exchange()?.client.peer;
        Ok((peer.ip().to_canonical().to_string(), peer.port()))
    }

    fn forwarded(&mut self, _: Resource<RequestHandle>) -> Checked<(String, String, u16)> {
        Ok(self.exchange()?.forwarded())
    }

    fn tls(&mut self, _: Resource<RequestHandle>) -> Checked<Option<contract::TlsInfo>> {
        let details = self.exchange()?.details.as_deref();
        Ok(details.and_then(|details| details.tls.as_deref()).map(|tls| contract::TlsInfo {
            version: tls.version.clone(),
            cipher: tls.cipher.clone(),
            server_name: tls.server_name.clone(),
            client_certificates: tls.client_certificates.clone(),
        }))
    }

    fn started(&mut self, _: Resource<RequestHandle>) -> Checked<u64> {
        let started = SystemTime::now().checked_sub(self.exchange()?.started.elapsed());
        let started = started.and_then(|started| started.duration_since(UNIX_EPOCH).ok());
        Ok(started.map_or(0, |since| since.as_millis() as u64))
    }

    fn id(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(format!("{:032x}", self.exchange()?.id))
    }

    fn route(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        let matched = self.exchange()?.matched.as_deref();
        Ok(matched.map(|m| m.route_name.as_ref().unwrap_or(&m.route_id).clone()))
    }

    fn service(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        let matched = self.exchange()?.matched.as_deref();
        Ok(matched.and_then(|m| m.service_name.as_ref().or(m.service_id.as_ref()).cloned()))
    }

    fn entity(&mut self, _: Resource<RequestHandle>, which: contract::Met) -> Checked<Option<String>> {
        let exchange = self.exchange()?;
        let matched = exchange.matched.as_deref();
        let (entity, id) = match which {
            contract::Met::Route => ("routes", matched.map(|matched| matched.route_id.clone())),
            contract::Met::Service => ("services", matched.and_then(|matched| matched.service_id.clone())),
            contract::Met::Consumer => {
                let consumer = exchange.identity.as_ref().and_then(|identity| identity.consumer.as_ref());
                ("consumers", consumer.map(|consumer| consumer.id.clone()))
            }
        };
        let directory = self.space()?.surroundings.directory();
        Ok(directory.zip(id).and_then(|(directory, id)| directory.find(entity, "id", &id).ok().flatten()))
    }

    fn captures(&mut self, _: Resource<RequestHandle>) -> Checked<contract::Captures> {
        let details = self.exchange()?.details.as_deref();
        Ok(contract::Captures {
            positional: details.map(|details| details.positional.clone()).unwrap_or_default(),
            named: details.map(|details| details.named.clone()).unwrap_or_default(),
        })
    }

    fn consumer(&mut self, _: Resource<RequestHandle>) -> Checked<Option<contract::Consumer>> {
        let identity = self.exchange()?.identity.as_deref();
        Ok(identity.and_then(|identity| identity.consumer.clone()).map(Into::into))
    }

    fn credential(&mut self, _: Resource<RequestHandle>) -> Checked<Option<contract::Credential>> {
        let identity = self.exchange()?.identity.as_deref();
        Ok(identity.and_then(|identity| identity.credential.clone()).map(Into::into))
    }

    fn consumer_id(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        let identity = self.exchange()?.identity.as_deref();
        Ok(identity.and_then(|identity| identity.consumer.as_ref()).map(|consumer| consumer.id.clone()))
    }

    fn credential_id(&mut self, _: Resource<RequestHandle>) -> Checked<Option<String>> {
        let identity = self.exchange()?.identity.as_deref();
        Ok(identity.and_then(|identity| identity.credential.as_ref()).map(|credential| credential.id.clone()))
    }

    async fn body(
        &mut self,
        _: Resource<RequestHandle>,
        limit: u64,
    ) -> Checked<Result<Vec<u8>, contract::BodyError>> {
        let waits = Arc::clone(&self.waits);
        let exchange = self.exchange()?;
        let _waiting = waits.begin();
        let body = exchange.body.read(limit.min(bounds::BODY)).await;
        Ok(body.map(|body| body.to_vec()).map_err(Into::into))
    }

    fn set_header(&mut self, _: Resource<RequestHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        let exchange = self.exchange()?;
        if name.eq_ignore_ascii_case("host") {
            return Ok(set_host(exchange, &value));
        }
        Ok(set(&mut exchange.request.headers, &name, &value))
    }

    fn add_header(&mut self, _: Resource<RequestHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        Ok(add(&mut self.exchange()?.request.headers, &name, &value))
    }

    fn remove_header(&mut self, _: Resource<RequestHandle>, name: String) -> HeaderResult {
        Ok(remove(&mut self.exchange()?.request.headers, &name))
    }

    fn set_method(&mut self, _: Resource<RequestHandle>, method: String) -> Checked<bool> {
        let exchange = self.exchange()?;
        // What these two ask for is not forwarded as a request.
        let method = Method::from_bytes(method.as_bytes()).ok();
        let method = method.filter(|method| !matches!(*method, Method::CONNECT | Method::TRACE));
        Ok(method.map(|method| exchange.request.method = method).is_some())
    }

    fn set_path(&mut self, _: Resource<RequestHandle>, path: String) -> Checked<bool> {
        let exchange = self.exchange()?;
        let Some(path) = url_path(&path) else { return Ok(false) };
        if exchange.matched.is_some() {
            exchange.edits().path = Some(path);
            return Ok(true);
        }
        let query = exchange.request.uri.query().map(str::to_owned);
        Ok(replace_target(exchange, &path, query.as_deref()))
    }

    fn set_query(&mut self, _: Resource<RequestHandle>, query: Option<String>) -> Checked<bool> {
        let exchange = self.exchange()?;
        let path = exchange.request.uri.path().to_owned();
        let query = query.map(|query| encoded(&query, QUERY));
        let changed = replace_target(exchange, &path, query.as_deref());
        exchange.edits().query |= changed;
        Ok(changed)
    }

    fn set_body(&mut self, _: Resource<RequestHandle>, body: Vec<u8>) -> Checked<()> {
        self.exchange()?.body.replace(body.into());
        Ok(())
    }

    fn set_upstream(&mut self, _: Resource<RequestHandle>, name: String) -> Checked<bool> {
        let directory = self.space()?.surroundings.directory();
        let known = directory.is_some_and(|directory| directory.has_upstream(&name));
        if known {
            let edits = self.exchange()?.edits();
            (edits.upstream, edits.target) = (Some(name), None);
        }
        Ok(known)
    }

    fn set_target(&mut self, _: Resource<RequestHandle>, host: String, port: u16) -> Checked<()> {
        let granted = &self.space()?.targets;
        let address = host.trim_matches(['[', ']']).parse();
        if !granted.allows_name(&host) || address.is_ok_and(|address| !granted.allows_address(address)) {
            let plugin = self.plugin();
            return Err(format_err!(
                "`{host}` is no target that is granted; see `targets` of `plugin_grants` for `{plugin}`"
            ));
        }
        let public_only = !granted.private;
        let edits = self.exchange()?.edits();
        (edits.upstream, edits.target) = (None, Some((host, port)));
        edits.public_only = public_only;
        Ok(())
    }

    fn set_scheme(&mut self, _: Resource<RequestHandle>, scheme: String) -> Checked<bool> {
        let tls = match scheme.as_str() {
            "http" => false,
            "https" => true,
            _ => return Ok(false),
        };
        self.exchange()?.edits().tls = Some(tls);
        Ok(true)
    }

    fn set_timeouts(
        &mut self,
        _: Resource<RequestHandle>,
        connect: u32,
        write: u32,
        read: u32,
    ) -> Checked<()> {
        self.exchange()?.edits().timeouts = Some([connect, write, read].map(|timeout| timeout.max(1)));
        Ok(())
    }

    fn set_retries(&mut self, _: Resource<RequestHandle>, retries: u16) -> Checked<()> {
        self.exchange()?.edits().retries = Some(retries);
        Ok(())
    }

    fn set_log_field(
        &mut self,
        _: Resource<RequestHandle>,
        key: String,
        value: Option<String>,
    ) -> Checked<bool> {
        let exchange = self.exchange()?;
        let value = match value.map(|text| serde_json::from_str(&text)).transpose() {
            Ok(value) => value,
            Err(_) => return Ok(false),
        };
        let room = exchange.log_fields.len() < MAX_LINES;
        if room {
            exchange.log_fields.push((key, value));
        }
        Ok(room)
    }

    fn set_response_header(
        &mut self,
        _: Resource<RequestHandle>,
        name: String,
        value: Vec<u8>,
    ) -> HeaderResult {
        let exchange = self.exchange()?;
        Ok(edit(
            exchange,
            parse_header(name.as_bytes(), &value).map(|(name, value)| HeaderEdit::Set(name, value)),
        ))
    }

    fn add_response_header(
        &mut self,
        _: Resource<RequestHandle>,
        name: String,
        value: Vec<u8>,
    ) -> HeaderResult {
        let exchange = self.exchange()?;
        Ok(edit(
            exchange,
            parse_header(name.as_bytes(), &value).map(|(name, value)| HeaderEdit::Add(name, value)),
        ))
    }

    fn remove_response_header(&mut self, _: Resource<RequestHandle>, name: String) -> HeaderResult {
        let exchange = self.exchange()?;
        Ok(edit(exchange, parse_header_name(name.as_bytes()).map(HeaderEdit::Remove)))
    }

    fn drop(&mut self, _: Resource<RequestHandle>) -> Checked<()> {
        Ok(())
    }
}

impl contract::HostResponse for GuestState {
    fn request(&mut self, _: Resource<ResponseHandle>) -> Checked<Resource<RequestHandle>> {
        Ok(Resource::new_own(0))
    }

    fn source(&mut self, _: Resource<ResponseHandle>) -> Checked<contract::Source> {
        Ok(match self.exchange()?.source {
            Source::Upstream => contract::Source::Upstream,
            Source::Plugin => contract::Source::Plugin,
            Source::Gateway => contract::Source::Gateway,
        })
    }

    fn watch_body(&mut self, _: Resource<ResponseHandle>, view: contract::BodyView) -> Checked<()> {
        self.exchange()?.body_view = Some(match view {
            contract::BodyView::Chunks => BodyView::Chunks,
            contract::BodyView::Whole(limit) => BodyView::Whole(limit.min(bounds::BODY)),
        });
        Ok(())
    }

    fn set_body(&mut self, _: Resource<ResponseHandle>, body: Vec<u8>) -> Checked<()> {
        self.exchange()?.response_body = Some(body.into());
        Ok(())
    }

    fn status(&mut self, _: Resource<ResponseHandle>) -> Checked<u16> {
        Ok(self.response()?.status.as_u16())
    }

    fn set_status(&mut self, _: Resource<ResponseHandle>, status: u16) -> Checked<bool> {
        let response = self.response()?;
        match StatusCode::from_u16(status) {
            Ok(status) if (200..600).contains(&status.as_u16()) => {
                response.status = status;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn header(&mut self, _: Resource<ResponseHandle>, name: String) -> Checked<Option<Vec<u8>>> {
        Ok(first(&self.response()?.headers, &name))
    }

    fn header_values(&mut self, _: Resource<ResponseHandle>, name: String) -> Checked<Vec<Vec<u8>>> {
        Ok(all(&self.response()?.headers, &name))
    }

    fn headers(&mut self, _: Resource<ResponseHandle>) -> Checked<Vec<contract::Header>> {
        Ok(list(&self.response()?.headers))
    }

    fn set_header(&mut self, _: Resource<ResponseHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        Ok(set(&mut self.response()?.headers, &name, &value))
    }

    fn add_header(&mut self, _: Resource<ResponseHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        Ok(add(&mut self.response()?.headers, &name, &value))
    }

    fn remove_header(&mut self, _: Resource<ResponseHandle>, name: String) -> HeaderResult {
        Ok(remove(&mut self.response()?.headers, &name))
    }

    fn drop(&mut self, _: Resource<ResponseHandle>) -> Checked<()> {
        Ok(())
    }
}

impl context::Host for GuestState {
    fn get(&mut self, key: String) -> Checked<Option<Vec<u8>>> {
        let scope = Some(self.scope);
        Ok(self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.context.value(scope, &key))
            .map(|v| v.to_vec()))
    }

    fn set(&mut self, key: String, value: Option<Vec<u8>>) -> Checked<bool> {
        let scope = Some(self.scope);
        Ok(self.exchange.as_mut().is_some_and(|e| e.context.store(scope, &key, value.map(Bytes::from))))
    }

    fn get_shared(&mut self, key: String) -> Checked<Option<Vec<u8>>> {
        Ok(self.exchange.as_ref().and_then(|exchange| exchange.context.value(None, &key)).map(|v| v.to_vec()))
    }

    fn set_shared(&mut self, key: String, value: Option<Vec<u8>>) -> Checked<bool> {
        Ok(self.exchange.as_mut().is_some_and(|e| e.context.store(None, &key, value.map(Bytes::from))))
    }
}

impl log::Host for GuestState {
    fn write(&mut self, level: log::Level, message: String) -> Checked<()> {
        self.log.write(level.into(), &message);
        Ok(())
    }

    fn enabled(&mut self, level: log::Level) -> Checked<bool> {
        Ok(output::enabled(level.into()))
    }
}

impl From<log::Level> for tracing::Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::TRACE,
            log::Level::Debug => Self::DEBUG,
            log::Level::Info => Self::INFO,
            log::Level::Warn => Self::WARN,
            log::Level::Error => Self::ERROR,
        }
    }
}

impl From<HeaderError> for contract::HeaderError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::InvalidName => Self::InvalidName,
            HeaderError::InvalidValue => Self::InvalidValue,
            HeaderError::TooLarge => Self::TooLarge,
            _ => Self::Forbidden,
        }
    }
}

impl From<BodyError> for contract::BodyError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Broken => Self::Broken,
            BodyError::Gone => Self::Gone,
        }
    }
}

/// Names the upstream's virtual host, instead of what route and service say.
fn set_host(exchange: &mut Exchange, value: &[u8]) -> Result<(), contract::HeaderError> {
    let (_, value) = parse_header(b"host", value)?;
    exchange.edits().host = Some(value);
    Ok(())
}

/// Asks for another path and query; says whether they make a target of a request.
fn replace_target(exchange: &mut Exchange, path: &str, query: Option<&str>) -> bool {
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let Ok(target) = PathAndQuery::try_from(text) else { return false };
    let mut parts = exchange.request.uri.clone().into_parts();
    parts.path_and_query = Some(target);
    Uri::from_parts(parts).map(|uri| exchange.request.uri = uri).is_ok()
}

/// A path as it can stand in a URL, if it can.
fn url_path(path: &str) -> Option<String> {
    let encoded = encoded(path, PATH);
    (path.starts_with('/') && PathAndQuery::try_from(encoded.as_str()).is_ok()).then_some(encoded)
}

/// What a path cannot have as it is. A percent sign is left alone: it may begin what is encoded already.
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');
/// What a query cannot have as it is.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

fn encoded(text: &str, set: &'static AsciiSet) -> String {
    utf8_percent_encode(text, set).to_string()
}

fn first(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    headers.get(name).map(|value| value.as_bytes().to_vec())
}

fn all(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    headers.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect()
}

/// All headers in a form that guests get.
pub(crate) fn list(headers: &HeaderMap) -> Vec<contract::Header> {
    headers
        .iter()
        .map(|(name, value)| contract::Header {
            name: name.as_str().to_owned(),
            value: value.as_bytes().to_vec(),
        })
        .collect()
}

fn set(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), contract::HeaderError> {
    let (name, value) = parse_header(name.as_bytes(), value)?;
    room(headers.len())?;
    headers.insert(name, value);
    Ok(())
}

fn add(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), contract::HeaderError> {
    let (name, value) = parse_header(name.as_bytes(), value)?;
    room(headers.len())?;
    headers.append(name, value);
    Ok(())
}

fn remove(headers: &mut HeaderMap, name: &str) -> Result<(), contract::HeaderError> {
    let name: HeaderName = parse_header_name(name.as_bytes())?;
    headers.remove(name);
    Ok(())
}

fn edit(exchange: &mut Exchange, edit: Result<HeaderEdit, HeaderError>) -> Result<(), contract::HeaderError> {
    room(exchange.response_edits.len())?;
    exchange.response_edits.push(edit?);
    Ok(())
}

fn room(lines: usize) -> Result<(), contract::HeaderError> {
    if lines < MAX_LINES { Ok(()) } else { Err(contract::HeaderError::TooLarge) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
