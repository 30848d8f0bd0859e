//! Upstream entities, as their balancers need to know them.

use std::time::Duration;

use http::HeaderName;
use moongate_balancer::{
    ActiveChecks, Algorithm, CheckType, HashSource, HealthChecks, Limits, PassiveChecks, Settings,
};
use moongate_model::{self as model, HashInput, HealthcheckType, Upstream};

/// The settings of an upstream's balancer.
pub(crate) fn settings(upstream: &Upstream) -> Settings {
    let on = Companions {
        header: upstream.hash_on_header.as_deref(),
        query_argument: upstream.hash_on_query_arg.as_deref(),
        capture: upstream.hash_on_uri_capture.as_deref(),
    };
    let fallback = Companions {
        header: upstream.hash_fallback_header.as_deref(),
        query_argument: upstream.hash_fallback_query_arg.as_deref(),
        capture: upstream.hash_fallback_uri_capture.as_deref(),
    };
    Settings {
        algorithm: match upstream.algorithm {
            model::Algorithm::RoundRobin => Algorithm::RoundRobin,
            model::Algorithm::ConsistentHashing => Algorithm::ConsistentHashing,
            model::Algorithm::LeastConnections => Algorithm::LeastConnections,
            model::Algorithm::Latency => Algorithm::Latency,
        },
        hash_on: source(upstream.hash_on, &on, upstream),
        hash_fallback: source(upstream.hash_fallback, &fallback, upstream),
        slots: upstream.slots,
        host_header: upstream.host_header.clone(),
        use_srv_name: upstream.use_srv_name,
        checks: HealthChecks {
            threshold: upstream.healthchecks.threshold,
            active: active(&upstream.healthchecks.active),
            passive: passive(&upstream.healthchecks.passive),
        },
    }
}

/// The fields that say more about what is hashed.
struct Companions<'a> {
    header: Option<&'a str>,
    query_argument: Option<&'a str>,
    capture: Option<&'a str>,
}

/// A companion that is missing, which the schema does not let pass, means that there is nothing to hash.
fn source(input: HashInput, companions: &Companions<'_>, upstream: &Upstream) -> HashSource {
    let source = match input {
        HashInput::None => None,
        HashInput::Consumer => Some(HashSource::Consumer),
        HashInput::Ip => Some(HashSource::Ip),
        HashInput::Header => companions
            .header
            .and_then(|name| Some(HashSource::Header(HeaderName::from_bytes(name.as_bytes()).ok()?))),
        HashInput::Cookie => upstream.hash_on_cookie.as_ref().map(|name| HashSource::Cookie {
            name: name.clone(),
            path: upstream.hash_on_cookie_path.clone().unwrap_or_else(|| "/".to_owned()),
        }),
        HashInput::Path => Some(HashSource::Path),
        HashInput::QueryArg => {
            companions.query_argument.map(|name| HashSource::QueryArgument(name.to_owned()))
        }
        HashInput::UriCapture => companions.capture.map(|name| HashSource::UriCapture(name.to_owned())),
    };
    source.unwrap_or(HashSource::None)
}

fn active(checks: &model::ActiveHealthcheck) -> ActiveChecks {
    let (healthy, unhealthy) = (&checks.healthy, &checks.unhealthy);
    let headers = checks.headers.iter().flatten();
    ActiveChecks {
        kind: match checks.kind {
            HealthcheckType::Tcp => CheckType::Tcp,
            HealthcheckType::Http => CheckType::Http,
            HealthcheckType::Https => CheckType::Https,
            HealthcheckType::Grpc => CheckType::Grpc,
            HealthcheckType::Grpcs => CheckType::Grpcs,
        },
        timeout: seconds(checks.timeout),
        concurrency: checks.concurrency as usize,
        http_path: checks.http_path.clone(),
        https_sni: checks.https_sni.clone(),
        https_verify_certificate: checks.https_verify_certificate,
        headers: headers
            .flat_map(|(name, values)| values.iter().map(|value| (name.clone(), value.clone())))
            .collect(),
        healthy_interval: seconds(healthy.interval),
        unhealthy_interval: seconds(unhealthy.interval),
        healthy_statuses: healthy.http_statuses.iter().copied().collect(),
        unhealthy_statuses: unhealthy.http_statuses.iter().copied().collect(),
        limits: Limits {
            successes: limit(healthy.successes),
            http_failures: limit(unhealthy.http_failures),
            tcp_failures: limit(unhealthy.tcp_failures),
            timeouts: limit(unhealthy.timeouts),
        },
    }
}

fn passive(checks: &model::PassiveHealthcheck) -> PassiveChecks {
    let (healthy, unhealthy) = (&checks.healthy, &checks.unhealthy);
    PassiveChecks {
        healthy_statuses: healthy.http_statuses.iter().copied().collect(),
        unhealthy_statuses: unhealthy.http_statuses.iter().copied().collect(),
        limits: Limits {
            successes: limit(healthy.successes),
            http_failures: limit(unhealthy.http_failures),
            tcp_failures: limit(unhealthy.tcp_failures),
            timeouts: limit(unhealthy.timeouts),
        },
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The schema lets nothing greater pass.
fn limit(count: u32) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balanced::declared;

    fn settings_of(fields: &str) -> Settings {
        let text = format!("{{_format_version: '3.0', upstreams: [{{name: up.test, {fields}}}]}}");
        settings(declared(&text).upstreams.iter().next().unwrap())
    }

    #[test]
    fn an_upstream_without_settings_has_the_balancers_own_defaults() {
        assert_eq!(settings_of(""), Settings::default());
    }

    #[test]
    fn each_field_finds_its_place() {
        let found = settings_of(
            "hash_on: header, hash_on_header: X-Key, hash_fallback: query_arg, hash_fallback_query_arg: q, \
             slots: 2000, host_header: 'a.test:1', use_srv_name: true, healthchecks: {threshold: 12.5, \
             active: {type: https, timeout: 0.5, concurrency: 3, http_path: /up, https_sni: s.test, \
             https_verify_certificate: false, headers: {X-A: [b, c]}, \
             healthy: {interval: 0.2, http_statuses: [201], successes: 1}, \
             unhealthy: {interval: 7, http_statuses: [400], http_failures: 2, tcp_failures: 3, timeouts: 4}}, \
             passive: {healthy: {http_statuses: [202], successes: 5}, \
             unhealthy: {http_statuses: [401], http_failures: 6, tcp_failures: 7, timeouts: 255}}}",
        );
        let expected = Settings {
            algorithm: Algorithm::ConsistentHashing,
            hash_on: HashSource::Header(HeaderName::from_static("x-key")),
            hash_fallback: HashSource::QueryArgument("q".to_owned()),
            slots: 2000,
            host_header: Some("a.test:1".to_owned()),
            use_srv_name: true,
            checks: HealthChecks {
                threshold: 12.5,
                active: ActiveChecks {
                    kind: CheckType::Https,
                    timeout: Duration::from_millis(500),
                    concurrency: 3,
                    http_path: "/up".to_owned(),
                    https_sni: Some("s.test".to_owned()),
                    https_verify_certificate: false,
                    headers: vec![("X-A".to_owned(), "b".to_owned()), ("X-A".to_owned(), "c".to_owned())],
                    healthy_interval: Duration::from_millis(200),
                    unhealthy_interval: Duration::from_secs(7),
                    healthy_statuses: [201].into_iter().collect(),
                    unhealthy_statuses: [400].into_iter().collect(),
                    limits: Limits { successes: 1, http_failures: 2, tcp_failures: 3, timeouts: 4 },
                },
                passive: PassiveChecks {
                    healthy_statuses: [202].into_iter().collect(),
                    unhealthy_statuses: [401].into_iter().collect(),
                    limits: Limits { successes: 5, http_failures: 6, tcp_failures: 7, timeouts: 255 },
                },
            },
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_hashed_is_found_with_its_companion() {
        let hashed = |fields: &str| {
            let settings = settings_of(fields);
            (settings.hash_on, settings.hash_fallback)
        };
        let cookie = |path: &str| HashSource::Cookie { name: "sid".to_owned(), path: path.to_owned() };
        assert_eq!(hashed("hash_on: cookie, hash_on_cookie: sid"), (cookie("/"), HashSource::None));
        assert_eq!(
            hashed("hash_on: consumer, hash_fallback: cookie, hash_on_cookie: sid, hash_on_cookie_path: /a"),
            (HashSource::Consumer, cookie("/a"))
        );
        assert_eq!(hashed("hash_on: ip, hash_fallback: path"), (HashSource::Ip, HashSource::Path));
        assert_eq!(
            hashed(
                "hash_on: uri_capture, hash_on_uri_capture: a, hash_fallback: header, hash_fallback_header: b"
            ),
            (HashSource::UriCapture("a".to_owned()), HashSource::Header(HeaderName::from_static("b")))
        );
    }
}
