//! Who sent a request.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// A consumer, as far as requests are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Id, a UUID.
    pub id: String,
    /// Unique name.
    pub username: Option<String>,
    /// The operator's own id.
    pub custom_id: Option<String>,
}

/// What a client proved to be somebody with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Id of the credential.
    pub id: String,
    /// What upstreams get to see of it.
    pub identifier: Option<String>,
}

/// Who sent a request, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The consumer.
    pub consumer: Option<Consumer>,
    /// The credential; a consumer without one is anonymous.
    pub credential: Option<Credential>,
}

impl Identity {
    /// Tells the upstream, and takes back what the client or an earlier plugin said under the same names.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let consumer = self.consumer.as_ref();
        put(headers, CONSUMER_ID, consumer.map(|consumer| consumer.id.as_str()));
        put(headers, CONSUMER_CUSTOM_ID, consumer.and_then(|consumer| consumer.custom_id.as_deref()));
        put(headers, CONSUMER_USERNAME, consumer.and_then(|consumer| consumer.username.as_deref()));
        let credential = self.credential.as_ref();
        put(
            headers,
            CREDENTIAL_IDENTIFIER,
            credential.and_then(|credential| credential.identifier.as_deref()),
        );
        let anonymous = consumer.is_some() && credential.is_none();
        put(headers, ANONYMOUS_CONSUMER, anonymous.then_some("true"));
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    match value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
        Some(value) => {
            headers.insert(name, value);
        }
        None => {
            headers.remove(name);
        }
    }
}

const CONSUMER_ID: HeaderName = HeaderName::from_static("x-consumer-id");
const CONSUMER_CUSTOM_ID: HeaderName = HeaderName::from_static("x-consumer-custom-id");
const CONSUMER_USERNAME: HeaderName = HeaderName::from_static("x-consumer-username");
const CREDENTIAL_IDENTIFIER: HeaderName = HeaderName::from_static("x-credential-identifier");
const ANONYMOUS_CONSUMER: HeaderName = HeaderName::from_static("x-anonymous-consumer");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_is_told_what_is_known_and_nothing_that_the_client_made_up() {
        let mut headers = HeaderMap::new();
        for name in [CONSUMER_ID, CONSUMER_CUSTOM_ID, CREDENTIAL_IDENTIFIER, ANONYMOUS_CONSUMER] {
            headers.insert(name, HeaderValue::from_static("forged"));
        }
        let consumer = Consumer { id: "1".into(), username: Some("bob".into()), custom_id: None };
        let credential = Credential { id: "2".into(), identifier: Some("key".into()) };
        Identity { consumer: Some(consumer.clone()), credential: Some(credential) }.tell(&mut headers);
        assert_eq!(headers.get(CONSUMER_ID).unwrap(), "1");
        assert_eq!(headers.get(CONSUMER_USERNAME).unwrap(), "bob");
        assert_eq!(headers.get(CREDENTIAL_IDENTIFIER).unwrap(), "key");
        assert_eq!(headers.len(), 3);

        Identity { consumer: Some(consumer), credential: None }.tell(&mut headers);
        assert_eq!(headers.get(ANONYMOUS_CONSUMER).unwrap(), "true");
        assert!(!headers.contains_key(CREDENTIAL_IDENTIFIER));
    }
}
