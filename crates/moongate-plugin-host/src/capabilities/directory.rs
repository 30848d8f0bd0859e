//! Consumers, the plugin's own entities, and secrets: what plugins look up of the configuration.

use moongate_hooks::{Consumer, Credential, Identity, LookupError};
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::{consumers, entities, http as contract, secrets};
use crate::state::{GuestState, RequestHandle};

impl consumers::Host for GuestState {
    fn find(&mut self, id_or_username: String) -> Result<Option<contract::Consumer>> {
        let directory = self.space()?.surroundings.directory();
        Ok(directory.and_then(|directory| directory.consumer(&id_or_username)).map(Into::into))
    }

    fn authenticate(
        &mut self,
        _: Resource<RequestHandle>,
        consumer: Option<contract::Consumer>,
        credential: Option<contract::Credential>,
    ) -> Result<()> {
        self.identify(consumer.map(Into::into), credential)
    }

    fn authenticate_as(
        &mut self,
        _: Resource<RequestHandle>,
        id_or_username: String,
        credential: Option<contract::Credential>,
    ) -> Result<bool> {
        let directory = self.space()?.surroundings.directory();
        let consumer = directory.and_then(|directory| directory.consumer(&id_or_username));
        if consumer.is_none() {
            return Ok(false);
        }
        self.identify(consumer, credential)?;
        Ok(true)
    }
}

impl GuestState {
    fn identify(
        &mut self,
        consumer: Option<Consumer>,
        credential: Option<contract::Credential>,
    ) -> Result<()> {
        let identity = Identity { consumer, credential: credential.map(Into::into) };
        let exchange = self.exchange()?;
        identity.tell(&mut exchange.request.headers);
        exchange.identity = Some(Box::new(identity));
        Ok(())
    }
}

impl entities::Host for GuestState {
    fn find(
        &mut self,
        entity: String,
        field: String,
        value: String,
    ) -> Result<std::result::Result<Option<String>, entities::LookupError>> {
        if !self.owns(&entity) {
            return Ok(Err(entities::LookupError::UnknownEntity));
        }
        let directory = self.space()?.surroundings.directory();
        let found = directory.map_or(Ok(None), |directory| directory.find(&entity, &field, &value));
        Ok(found.map_err(Into::into))
    }

    fn referring(
        &mut self,
        entity: String,
        field: String,
        id: String,
    ) -> Result<std::result::Result<Vec<String>, entities::LookupError>> {
        if !self.owns(&entity) {
            return Ok(Err(entities::LookupError::UnknownEntity));
        }
        let directory = self.space()?.surroundings.directory();
        let found = directory.map_or(Ok(Vec::new()), |directory| directory.referring(&entity, &field, &id));
        Ok(found.map_err(Into::into))
    }
}

impl secrets::Host for GuestState {
    fn get(&mut self, reference: String) -> Result<std::result::Result<String, String>> {
        Ok(match self.space()?.surroundings.directory() {
            Some(directory) => directory.secret(&reference),
            None => Err("no configuration is served yet".to_owned()),
        })
    }
}

impl From<LookupError> for entities::LookupError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::UnknownEntity => Self::UnknownEntity,
            LookupError::UnknownField => Self::UnknownField,
        }
    }
}

impl From<Consumer> for contract::Consumer {
    fn from(consumer: Consumer) -> Self {
        Self { id: consumer.id, username: consumer.username, custom_id: consumer.custom_id }
    }
}

impl From<contract::Consumer> for Consumer {
    fn from(consumer: contract::Consumer) -> Self {
        Self { id: consumer.id, username: consumer.username, custom_id: consumer.custom_id }
    }
}

impl From<Credential> for contract::Credential {
    fn from(credential: Credential) -> Self {
        Self { id: credential.id, identifier: credential.identifier }
    }
}

impl From<contract::Credential> for Credential {
    fn from(credential: contract::Credential) -> Self {
        Self { id: credential.id, identifier: credential.identifier }
    }
}
