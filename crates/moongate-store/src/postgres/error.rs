//! What errors of the database mean.

use std::error::Error as _;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// The error for one of the database.
pub(super) fn error(failure: &Error) -> StoreError {
    let why = text(failure);
    match failure.code() {
        // Without a code it did not come from the server.
        None if failure.is_closed() || is_transport(failure) => StoreError::Unavailable { why },
        None => StoreError::Corrupt(why),
        Some(&SqlState::UNDEFINED_TABLE) => StoreError::NeedsBootstrap,
        Some(code) if is_passing(code) => StoreError::Unavailable { why },
        Some(_) => StoreError::Corrupt(why),
    }
}

pub(super) fn pool_error(failure: &PoolError) -> StoreError {
    match failure {
        PoolError::Backend(failure) | PoolError::PostCreateHook(HookError::Backend(failure)) => {
            error(failure)
        }
        other => StoreError::Unavailable { why: other.to_string() },
    }
}

/// Whether a constraint of a table was broken.
pub(super) fn is_constraint(failure: &Error) -> bool {
    failure.code().is_some_and(|code| code.code().starts_with("23"))
}

/// Everything that the error says. By itself it says only of which kind it is.
pub(super) fn text(failure: &Error) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Whether the connection failed, rather than what came over it.
fn is_transport(failure: &Error) -> bool {
    let text = failure.to_string();
    ["communicating", "connecting", "timeout", "TLS", "authentication"].iter().any(|word| text.contains(word))
}

/// Whether it can be other the next time, or when the operator has done something.
fn is_passing(code: &SqlState) -> bool {
    // Connection, authorisation, database name, transaction rolled back, resources, object in use,
    // operator intervention, system.
    const PASSING: [&str; 8] = ["08", "28", "3D", "40", "53", "55", "57", "58"];
    let idle = [SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, SqlState::READ_ONLY_SQL_TRANSACTION];
    PASSING.iter().any(|class| code.code().starts_with(class)) || idle.contains(code)
}
