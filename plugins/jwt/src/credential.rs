//! Rows of `jwt_secrets`, and the keys in them.

use std::cell::RefCell;
use std::collections::HashMap;

use moongate_sdk::crypto::{Algorithm, Verifier};
use moongate_sdk::entities::{self, LookupError, Reference};
use serde::Deserialize;

use crate::token::{self, Token};

/// Why a token is not one of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// The credential is for another algorithm.
    Algorithm,
    /// There is no key for the algorithm.
    Key,
    /// It is not signed with the key.
    Signature,
}

/// Id of a credential, and that of its consumer.
pub(crate) type Owner = (String, String);

/// The credentials of an instance, with their keys set up.
pub(crate) struct Credentials {
    secret_is_base64: bool,
    /// By their keys; each holds as long as its row says the same.
    known: RefCell<HashMap<String, Credential>>,
}

impl Credentials {
    pub(crate) fn new(secret_is_base64: bool) -> Self {
        Self { secret_is_base64, known: RefCell::default() }
    }

    /// Asks the credential with a key, if there is one.
    pub(crate) fn find<T>(
        &self,
        key: &str,
        ask: impl FnOnce(&Credential) -> T,
    ) -> Result<Option<T>, LookupError> {
        let mut known = self.known.borrow_mut();
        let Some(row) = entities::find_text("jwt_secrets", "key", key)? else {
            known.remove(key);
            return Ok(None);
        };
        if let Some(credential) = known.get(key).filter(|credential| credential.text == row) {
            return Ok(Some(ask(credential)));
        }
        let credential = Credential::parse(row, self.secret_is_base64)?;
        let answer = ask(&credential);
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(key.to_owned(), credential);
        Ok(Some(answer))
    }
}

/// A row with its key set up.
pub(crate) struct Credential {
    text: String,
    id: String,
    consumer: String,
    algorithm: String,
    verifier: Option<Verifier>,
}

impl Credential {
    fn parse(text: String, secret_is_base64: bool) -> Result<Self, LookupError> {
        let row: Row = moongate_sdk::serde_json::from_str(&text)
            .map_err(|error| LookupError::Unreadable(error.to_string()))?;
        let algorithm = row.algorithm.unwrap_or_else(|| Algorithm::Hs256.name().to_owned());
        let verifier = Algorithm::named(&algorithm).and_then(|algorithm| {
            if !algorithm.is_secret() {
                return Verifier::public_key(algorithm, &row.rsa_public_key?).ok();
            }
            let secret = row.secret?;
            let secret = if secret_is_base64 { token::decode(&secret)? } else { secret.into_bytes() };
            Verifier::secret(algorithm, secret).ok()
        });
        Ok(Self { text, id: row.id, consumer: row.consumer.id, algorithm, verifier })
    }

    /// Whose token it is, if it is signed with this key.
    pub(crate) fn verify(&self, token: &Token<'_>) -> Result<Owner, KeyError> {
        if token.algorithm.name() != self.algorithm {
            return Err(KeyError::Algorithm);
        }
        let verifier = self.verifier.as_ref().ok_or(KeyError::Key)?;
        if !verifier.verify(token.message.as_bytes(), &token.signature) {
            return Err(KeyError::Signature);
        }
        Ok((self.id.clone(), self.consumer.clone()))
    }
}

/// What matters of a row of `jwt_secrets`.
#[derive(Deserialize)]
struct Row {
    id: String,
    consumer: Reference,
    algorithm: Option<String>,
    secret: Option<String>,
    rsa_public_key: Option<String>,
}

/// How many keys an instance keeps set up.
const KNOWN: usize = 100;
