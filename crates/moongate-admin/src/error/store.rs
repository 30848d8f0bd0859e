//! What the API says about what a store refuses.

use http::StatusCode;
use moongate_schema::Violations;
use moongate_store::StoreError;

use super::ApiError;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UniqueViolation { fields, .. } => Self::NotUnique(fields),
            StoreError::PrimaryKeyViolation { id, .. } => Self::IdTaken(id),
            StoreError::ForeignKeyMissing { field, id, references, .. } => {
                Self::Dangling { field, id, references }
            }
            StoreError::ForeignKeyReferenced { entity, by } => Self::Needed { entity, by },
            StoreError::Conflict { .. } => Self::Message(
                StatusCode::CONFLICT,
                "the entity was changed by others meanwhile, try again".into(),
            ),
            StoreError::NotFound | StoreError::UnknownEntity(_) => Self::NotFound,
            StoreError::Unfit { field, why, .. } => Self::Invalid(Violations::of_field(&field, why)),
            StoreError::Refused { message, fields, .. } => Self::Unusable { message, fields },
            StoreError::ReadOnly => Self::Message(StatusCode::METHOD_NOT_ALLOWED, error.to_string().into()),
            StoreError::Unavailable { .. }
            | StoreError::NeedsBootstrap
            | StoreError::NeedsMigration { .. } => {
                tracing::warn!(%error, "the Admin API cannot use the database");
                Self::Message(StatusCode::SERVICE_UNAVAILABLE, error.to_string().into())
            }
            error => {
                tracing::error!(%error, "the Admin API cannot use the database");
                Self::Unexpected
            }
        }
    }
}
