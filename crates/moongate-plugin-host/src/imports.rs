//! The host's side of what guests import.
//!
//! Each function does one small thing for the request at hand, without waiting and without copying more than it
//! was asked for. Everything of WASI that is linked leads into an empty room: clocks and random numbers work,
//! output goes to the log, there are no files, no sockets and no environment.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use moongate_hooks::{Exchange, HeaderEdit, HeaderError, MAX_LINES, parse_header, parse_header_name};
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime::error::format_err;
use wasmtime_wasi::{WasiView, cli::WasiCli, clocks::WasiClocks, random::WasiRandom};

use crate::bindings::{context, http as contract, log};
use crate::output;
use crate::state::{GuestState, RequestHandle, ResponseHandle};

/// Links everything that a plugin may import without a grant.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    contract::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    context::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
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
    fn exchange(&mut self) -> wasmtime::Result<&mut Exchange> {
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

    fn path(&mut self, _: Resource<RequestHandle>) -> Checked<String> {
        Ok(self.exchange()?.request.uri.path().to_owned())
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

    fn set_header(&mut self, _: Resource<RequestHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        Ok(set(&mut self.exchange()?.request.headers, &name, &value))
    }

    fn add_header(&mut self, _: Resource<RequestHandle>, name: String, value: Vec<u8>) -> HeaderResult {
        Ok(add(&mut self.exchange()?.request.headers, &name, &value))
    }

    fn remove_header(&mut self, _: Resource<RequestHandle>, name: String) -> HeaderResult {
        Ok(remove(&mut self.exchange()?.request.headers, &name))
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
