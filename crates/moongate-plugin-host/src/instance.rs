//! A running guest: a store, and the functions that it exports.

use std::sync::Arc;

use moongate_hooks::{AdminRequest, Decision, HookError, Problem, Reply, parse_header};
use wasmtime::component::{Resource, ResourceAny};
use wasmtime::error::format_err;
use wasmtime::{Store, UpdateDeadline};

use crate::artifact::Artifact;
use crate::bindings::{admin_hook, http as contract, lifecycle, request_hook, response_hook};
use crate::generation::ConfigSlot;
use crate::imports;
use crate::output::PluginLog;
use crate::settings::{PluginSettings, bounds};
use crate::state::GuestState;

/// One instance of a plugin. It runs one call at a time; after a call that failed it must be dropped.
pub(crate) struct Instance {
    store: Store<GuestState>,
    lifecycle: lifecycle::Guest,
    request: Option<request_hook::Guest>,
    response: Option<response_hook::Guest>,
    admin: Option<admin_hook::Guest>,
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
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(artifact.pre.engine(), GuestState::new(scope, settings, log));
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
        Ok(Self {
            lifecycle: exports.lifecycle.load(&mut store, &instance)?,
            request: exports.request.as_ref().map(|hook| hook.load(&mut store, &instance)).transpose()?,
            response: exports.response.as_ref().map(|hook| hook.load(&mut store, &instance)).transpose()?,
            admin: exports.admin.as_ref().map(|hook| hook.load(&mut store, &instance)).transpose()?,
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
        self.store.data_mut().meter.restart();
    }

    pub(crate) fn state(&mut self) -> &mut GuestState {
        self.store.data_mut()
    }

    /// Whether the instance has served long enough, or has grown too large to be kept.
    pub(crate) fn is_worn(&self, settings: &PluginSettings) -> bool {
        self.calls >= settings.max_calls_per_instance
            || self.store.data().memory.used > settings.memory_limit / bounds::RETIRE_ABOVE
    }

    pub(crate) async fn describe(&mut self) -> wasmtime::Result<lifecycle::Manifest> {
        self.lifecycle.call_describe(&mut self.store).await
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
        let decision = hook.call_on_request(&mut self.store, config, Resource::new_borrow(0)).await?;
        Ok(match decision {
            Ok(request_hook::Decision::Continue) => Ok(Decision::Continue),
            Ok(request_hook::Decision::Respond(answer)) => reply(answer).map(Decision::Respond),
            Err(message) => Err(HookError::Plugin(message)),
        })
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
        Ok(match self.parse(slot.json()).await? {
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
        match self.parse(slot.json()).await? {
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

    async fn parse(&mut self, json: &str) -> wasmtime::Result<Result<ResourceAny, Vec<Problem>>> {
        let configured = self.lifecycle.plugin().call_configure(&mut self.store, json).await?;
        Ok(configured.map_err(|problems| {
            problems.into_iter().map(|p| Problem { path: p.path, message: p.message }).collect()
        }))
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

/// A reply from a guest, checked: it cannot frame the message or break out of a header line.
fn reply(answer: contract::Reply) -> Result<Reply, HookError> {
    let status = http::StatusCode::from_u16(answer.status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .ok_or_else(|| {
            HookError::Plugin(format!("answered with status {}, not one of 200 to 599", answer.status))
        })?;
    if answer.headers.len() > moongate_hooks::MAX_LINES {
        return Err(HookError::Plugin(format!("answered with {} headers", answer.headers.len())));
    }
    let mut headers = http::HeaderMap::with_capacity(answer.headers.len());
    for header in answer.headers {
        let (name, value) = parse_header(header.name.as_bytes(), &header.value)
            .map_err(|error| HookError::Plugin(format!("answered with header `{}`: {error}", header.name)))?;
        headers.append(name, value);
    }
    Ok(Reply { status, headers, body: answer.body.into() })
}
