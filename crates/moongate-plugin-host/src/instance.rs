//! A running guest: a store, and the functions that it exports.

use std::sync::Arc;

use bytes::Bytes;
use moongate_hooks::{AdminRequest, Decision, HookError, Problem, Refusal, Reply, parse_header};
use wasmtime::component::{Resource, ResourceAny};
use wasmtime::error::format_err;
use wasmtime::{Store, UpdateDeadline};

use crate::artifact::Artifact;
use crate::bindings::{
    admin_hook, early_request_hook, entity_hook, http as contract, lifecycle, log_hook, request_hook,
    response_body_hook, response_hook, timer_hook,
};
use crate::generation::ConfigSlot;
use crate::imports;
use crate::output::PluginLog;
use crate::settings::{PluginSettings, bounds};
use crate::state::{GuestState, Home};

/// One instance of a plugin. It runs one call at a time; after a call that failed it must be dropped.
pub(crate) struct Instance {
    store: Store<GuestState>,
    lifecycle: lifecycle::Guest,
    early_request: Option<early_request_hook::Guest>,
    request: Option<request_hook::Guest>,
    response: Option<response_hook::Guest>,
    response_body: Option<response_body_hook::Guest>,
    log: Option<log_hook::Guest>,
    timer: Option<timer_hook::Guest>,
    admin: Option<admin_hook::Guest>,
    entity: Option<entity_hook::Guest>,
    /// The configurations that this instance has parsed, by slot; the number tells a slot's tenants apart.
    configs: Vec<Option<(u64, ResourceAny)>>,
    calls: u32,
}

impl Instance {
    /// Makes an instance. Must run within a budget, for a component may compute while it starts.
    pub(crate) async fn new(
        artifact: &Artifact,
        settings: &PluginSettings,
        scope: u64,
        log: &Arc<PluginLog>,
        home: Option<Home>,
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(artifact.pre.engine(), GuestState::new(scope, settings, log, home));
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(bounds::HOSTCALL_BYTES);
        store.set_max_component_handles(bounds::HANDLES);
        store.epoch_deadline_callback(|mut store| {
            if store.data_mut().meter.charge() {
                // tokio's own yield: it lets the worker look at its sockets before the guest goes on.
                Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
            } else {
                Err(format_err!("CPU budget used up"))
            }
        });
        store.set_epoch_deadline(1);
        let instance = artifact.pre.instantiate_async(&mut store).await?;
        let exports = &artifact.exports;
        macro_rules! load {
            ($hook:ident) => {
                exports.$hook.as_ref().map(|hook| hook.load(&mut store, &instance)).transpose()?
            };
        }
        Ok(Self {
            lifecycle: exports.lifecycle.load(&mut store, &instance)?,
            early_request: load!(early_request),
            request: load!(request),
            response: load!(response),
            response_body: load!(response_body),
            log: load!(log),
            timer: load!(timer),
            admin: load!(admin),
            entity: load!(entity),
            store,
            configs: Vec::new(),
            calls: 0,
        })
    }

    /// Prepares the store for a call.
    pub(crate) fn begin(&mut self) {
        self.calls += 1;
        // The tick under way may end at once; only the one after it is a whole one.
        self.store.set_epoch_deadline(2);
        let state = self.store.data_mut();
        state.meter.restart();
        state.waits.reset();
    }

    pub(crate) fn state(&mut self) -> &mut GuestState {
        self.store.data_mut()
    }

    /// Linear memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().memory.used
    }

    /// Whether the instance has served long enough, or has grown too large to be kept.
    pub(crate) fn is_worn(&self, settings: &PluginSettings) -> bool {
        self.calls >= settings.max_calls_per_instance
            || self.store.data().memory.used > settings.memory_limit / bounds::RETIRE_ABOVE
    }

    pub(crate) async fn describe(&mut self) -> wasmtime::Result<lifecycle::Manifest> {
        self.lifecycle.call_describe(&mut self.store).await
    }

    pub(crate) async fn on_early_request(
        &mut self,
        slot: &ConfigSlot,
    ) -> wasmtime::Result<Result<Decision, HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.early_request else { return Ok(Err(HookError::NotExported)) };
        let decided = hook.call_on_early_request(&mut self.store, config, Resource::new_borrow(0)).await?;
        Ok(decision(decided))
    }

    pub(crate) async fn on_request(
        &mut self,
        slot: &ConfigSlot,
    ) -> wasmtime::Result<Result<Decision, HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.request else { return Ok(Err(HookError::NotExported)) };
        let decided = hook.call_on_request(&mut self.store, config, Resource::new_borrow(0)).await?;
        Ok(decision(decided))
    }

    pub(crate) async fn on_response(&mut self, slot: &ConfigSlot) -> wasmtime::Result<Result<(), HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.response else { return Ok(Err(HookError::NotExported)) };
        let result = hook.call_on_response(&mut self.store, config, Resource::new_borrow(0)).await?;
        Ok(result.map_err(HookError::Plugin))
    }

    pub(crate) async fn on_response_body(
        &mut self,
        slot: &ConfigSlot,
        piece: &[u8],
        last: bool,
    ) -> wasmtime::Result<Result<Option<Bytes>, HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.response_body else { return Ok(Err(HookError::NotExported)) };
        let response = Resource::new_borrow(0);
        let result = hook.call_on_response_body(&mut self.store, config, response, piece, last).await?;
        Ok(result.map(|piece| piece.map(Bytes::from)).map_err(HookError::Plugin))
    }

    pub(crate) async fn on_log(
        &mut self,
        slot: &ConfigSlot,
        records: &[String],
    ) -> wasmtime::Result<Result<(), HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.log else { return Ok(Err(HookError::NotExported)) };
        Ok(hook.call_on_log(&mut self.store, config, records).await?.map_err(HookError::Plugin))
    }

    pub(crate) async fn on_timer(&mut self, slot: &ConfigSlot) -> wasmtime::Result<Result<(), HookError>> {
        let config = match self.config(slot).await? {
            Ok(config) => config,
            Err(error) => return Ok(Err(error)),
        };
        let Some(hook) = &self.timer else { return Ok(Err(HookError::NotExported)) };
        Ok(hook.call_on_timer(&mut self.store, config).await?.map_err(HookError::Plugin))
    }

    pub(crate) async fn on_write(
        &mut self,
        entity: &str,
        row: &str,
        changed: &[String],
    ) -> wasmtime::Result<Result<Result<String, Vec<Problem>>, HookError>> {
        let Some(hook) = &self.entity else { return Ok(Err(HookError::NotExported)) };
        let result = hook.call_on_write(&mut self.store, entity, row, changed).await?;
        Ok(Ok(result.map_err(problems)))
    }

    pub(crate) async fn on_admin(
        &mut self,
        request: AdminRequest,
    ) -> wasmtime::Result<Result<Reply, HookError>> {
        let Some(hook) = &self.admin else { return Ok(Err(HookError::NotExported)) };
        let request = admin_hook::AdminRequest {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: imports::list(&request.headers),
            body: request.body.to_vec(),
        };
        Ok(match hook.call_on_admin(&mut self.store, &request).await? {
            Ok(answer) => reply(answer),
            Err(message) => Err(HookError::Plugin(message)),
        })
    }

    /// Lets the guest parse a configuration, and tells what it finds wrong with it.
    pub(crate) async fn check(&mut self, slot: &ConfigSlot) -> wasmtime::Result<Result<(), Vec<Problem>>> {
        Ok(match self.parse(slot).await? {
            Ok(config) => {
                self.keep(slot, config).await?;
                Ok(())
            }
            Err(problems) => Err(problems),
        })
    }

    /// The guest's parsed form of a configuration.
    async fn config(&mut self, slot: &ConfigSlot) -> wasmtime::Result<Result<ResourceAny, HookError>> {
        if let Some(Some((serial, config))) = self.configs.get(slot.index())
            && *serial == slot.serial()
        {
            return Ok(Ok(*config));
        }
        match self.parse(slot).await? {
            Ok(config) => {
                self.keep(slot, config).await?;
                Ok(Ok(config))
            }
            Err(problems) => {
                let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
                Ok(Err(HookError::Configure(problems.join("; "))))
            }
        }
    }

    async fn parse(&mut self, slot: &ConfigSlot) -> wasmtime::Result<Result<ResourceAny, Vec<Problem>>> {
        self.store.data_mut().maker = Some(slot.maker());
        let configured = self.lifecycle.plugin().call_configure(&mut self.store, slot.json()).await?;
        self.store.data_mut().maker = None;
        Ok(configured.map_err(problems))
    }

    /// Keeps a parsed configuration in its slot, and lets the guest drop what was there before.
    async fn keep(&mut self, slot: &ConfigSlot, config: ResourceAny) -> wasmtime::Result<()> {
        if self.configs.len() <= slot.index() {
            self.configs.resize_with(slot.index() + 1, || None);
        }
        let Some(place) = self.configs.get_mut(slot.index()) else { return Ok(()) };
        if let Some((_, old)) = place.replace((slot.serial(), config)) {
            old.resource_drop_async(&mut self.store).await?;
        }
        Ok(())
    }
}

fn problems(problems: Vec<lifecycle::Problem>) -> Vec<Problem> {
    problems.into_iter().map(|problem| Problem { path: problem.path, message: problem.message }).collect()
}

fn decision(decided: Result<contract::Decision, String>) -> Result<Decision, HookError> {
    match decided {
        Ok(contract::Decision::Continue) => Ok(Decision::Continue),
        Ok(contract::Decision::Respond(answer)) => reply(answer).map(Decision::Respond),
        Ok(contract::Decision::Fail(failure)) => refusal(failure).map(Decision::Fail),
        Err(message) => Err(HookError::Plugin(message)),
    }
}

/// An answer in the form of the gateway's own errors, checked.
fn refusal(failure: contract::Failure) -> Result<Refusal, HookError> {
    let status = status(failure.status)?;
    Ok(Refusal { status, message: failure.message, headers: headers(failure.headers)? })
}

/// A reply from a guest, checked: it cannot frame the message or break out of a header line.
fn reply(answer: contract::Reply) -> Result<Reply, HookError> {
    let status = status(answer.status)?;
    Ok(Reply { status, headers: headers(answer.headers)?, body: answer.body.into() })
}

fn status(status: u16) -> Result<http::StatusCode, HookError> {
    http::StatusCode::from_u16(status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| HookError::Plugin(format!("answered with status {status}, not one of 200 to 599")))
}

fn headers(lines: Vec<contract::Header>) -> Result<http::HeaderMap, HookError> {
    if lines.len() > moongate_hooks::MAX_LINES {
        return Err(HookError::Plugin(format!("answered with {} headers", lines.len())));
    }
    let mut headers = http::HeaderMap::with_capacity(lines.len());
    for header in lines {
        if header.name.eq_ignore_ascii_case("connection") && header.value == b"close" {
            headers.insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
            continue;
        }
        let (name, value) = parse_header(header.name.as_bytes(), &header.value)
            .map_err(|error| HookError::Plugin(format!("answered with header `{}`: {error}", header.name)))?;
        headers.append(name, value);
    }
    Ok(headers)
}
