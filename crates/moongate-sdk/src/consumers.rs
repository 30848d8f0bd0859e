//! Finds consumers and says who a client is. Needs the grant `consumers`.

use crate::raw::consumers as raw;
use crate::{Consumer, Credential, Request};

/// The consumer with this id or username. Costs about half a microsecond.
pub fn find(id_or_username: &str) -> Option<Consumer> {
    raw::find(id_or_username).map(Into::into)
}

/// Says who sent the request.
///
/// Later plugins see the consumer, and configurations that are bound to it apply to them. The upstream gets
/// `X-Consumer-ID`, `X-Consumer-Username`, `X-Consumer-Custom-ID` and `X-Credential-Identifier`, as far as there
/// are such values; whatever the client sent under these names is removed. With a consumer and no credential
/// the client is anonymous, and `X-Anonymous-Consumer: true` says so.
pub fn authenticate(request: &Request, consumer: Option<Consumer>, credential: Option<Credential>) {
    let (consumer, credential) = (consumer.map(Into::into), credential.map(Into::into));
    raw::authenticate(request.raw(), consumer.as_ref(), credential.as_ref());
}

/// Finds the consumer with this id or username, and says that it sent the request. Says `false`, and changes nothing, where
/// there is none. Costs half of [`find`] and [`authenticate`].
pub fn authenticate_as(request: &Request, id_or_username: &str, credential: Option<Credential>) -> bool {
    raw::authenticate_as(request.raw(), id_or_username, credential.map(Into::into).as_ref())
}
