//! What plugins that authenticate clients have in common.
//!
//! Several of them may apply to a request. One that has no `anonymous` consumer insists on its own credential, so
//! all of those must be satisfied, and the last one says who the client is. One that has stands back once another
//! has found out, and where nobody could, the request goes on as that consumer.

use crate::{Credential, Decision, Request, consumers};

/// Whether an earlier plugin has authenticated the client, and this one need not.
pub fn is_settled(request: &Request, anonymous: Option<&str>) -> bool {
    anonymous.is_some() && request.credential_id().is_some()
}

/// Lets a request pass whose credential is good.
///
/// A consumer that is gone is a fault of the gateway, answered with 500.
pub fn accept(request: &Request, consumer_id: &str, credential: Credential) -> Decision {
    match consumers::authenticate_as(request, consumer_id, Some(credential)) {
        true => Decision::Continue,
        false => unexpected(),
    }
}

/// Answers a request without a good credential with `refusal`, unless it may go on as the anonymous consumer, by
/// id or username. Where that is configured and does not exist, the answer is 500.
pub fn refuse(request: &Request, anonymous: Option<&str>, refusal: Decision) -> Decision {
    let Some(anonymous) = anonymous else { return refusal };
    if consumers::authenticate_as(request, anonymous, None) {
        return Decision::Continue;
    }
    crate::log::error(&format!("anonymous consumer {anonymous} is configured but doesn't exist"));
    unexpected()
}

/// The value of `WWW-Authenticate`: a scheme, with a realm where there is one.
pub fn challenge(scheme: &str, realm: Option<&str>) -> String {
    match realm {
        Some(realm) => format!("{scheme} realm=\"{realm}\""),
        None => scheme.to_owned(),
    }
}

/// Answers with 500, whatever the operator said of plugins that fail: nobody gets in by a failure.
pub fn unexpected() -> Decision {
    Decision::fail(500, "An unexpected error occurred")
}

/// What stands behind a scheme such as `Basic` in the value of an `Authorization` header. The scheme may begin with
/// a lower-case letter.
pub fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let value = value.trim_start();
    let (given, rest) = value.split_at_checked(scheme.len())?;
    let (first, others) = (given.get(..1)?, given.get(1..)?);
    let is_it = first.eq_ignore_ascii_case(scheme.get(..1)?) && Some(others) == scheme.get(1..);
    is_it.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Consumer;
    use crate::testing::{Gateway, RawRequest};

    fn consumer() -> Consumer {
        Consumer { id: "1".into(), username: Some("nobody".into()), custom_id: None }
    }

    fn credential() -> Credential {
        Credential { id: "2".into(), identifier: Some("key".into()) }
    }

    #[test]
    fn only_a_plugin_with_an_anonymous_consumer_stands_back() {
        let request = RawRequest::get("/").with_client(Some(consumer()), Some(credential()));
        assert!(is_settled(&request.as_request(), Some("nobody")));
        assert!(!is_settled(&request.as_request(), None));
        let request = RawRequest::get("/").with_client(Some(consumer()), None);
        assert!(!is_settled(&request.as_request(), Some("nobody")));
    }

    #[test]
    fn a_refused_request_goes_on_as_the_anonymous_consumer() {
        let gateway = Gateway::new();
        gateway.add_consumer(consumer());
        for name in ["nobody", "1"] {
            let request = RawRequest::get("/").with_client(None, Some(credential()));
            let decision = refuse(&request.as_request(), Some(name), Decision::fail(401, "no"));
            assert_eq!(decision, Decision::Continue);
            assert_eq!(request.as_request().consumer(), Some(consumer()));
            assert_eq!(request.as_request().credential(), None);
        }
        let request = RawRequest::get("/");
        let refusal = Decision::fail(401, "no");
        assert_eq!(refuse(&request.as_request(), None, refusal.clone()), refusal);
        assert_eq!(refuse(&request.as_request(), Some("gone"), refusal), unexpected());
        assert_eq!(request.as_request().consumer(), None);
    }

    #[test]
    fn a_credential_without_its_consumer_lets_nobody_in() {
        let gateway = Gateway::new();
        let request = RawRequest::get("/");
        assert_eq!(accept(&request.as_request(), "1", credential()), unexpected());
        assert!(!request.outcome().authenticated);
        gateway.add_consumer(consumer());
        assert_eq!(accept(&request.as_request(), "1", credential()), Decision::Continue);
        assert_eq!(request.as_request().credential(), Some(credential()));
    }

    #[test]
    fn a_scheme_may_begin_with_a_small_letter_only() {
        assert_eq!(after_scheme("Basic x", "Basic"), Some(" x"));
        assert_eq!(after_scheme(" basicx", "Basic"), Some("x"));
        for other in ["BASIC x", "Bas", "Bearer x", "", "é", "Bäsic x"] {
            assert_eq!(after_scheme(other, "Basic"), None, "{other}");
        }
    }
}
