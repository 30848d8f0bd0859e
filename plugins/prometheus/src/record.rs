//! What is measured of a record.

use serde::Deserialize;

use crate::{OWN_LATENCY, REQUEST_LATENCY, UPSTREAM_LATENCY};

/// A record of a finished request, as far as it is measured.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    request: Message,
    response: Message,
    latencies: Latencies,
    service: Option<Named>,
    route: Option<Named>,
    consumer: Option<Consumer>,
    source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    status: Option<u16>,
    size: Option<Number>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Latencies {
    kong: Option<f64>,
    proxy: Option<f64>,
    request: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Option<String>,
    name: Option<String>,
    host: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Consumer {
    username: Option<String>,
}

/// A number, which may be written as a text.
#[derive(Debug)]
struct Number(f64);

impl Record {
    /// Name of the service, or else its host; empty without one.
    pub(crate) fn service(&self) -> &str {
        let service = self.service.as_ref();
        service.and_then(|service| service.name.as_deref().or(service.host.as_deref())).unwrap_or_default()
    }

    /// Name of the route, or else its id; empty without one.
    pub(crate) fn route(&self) -> &str {
        let route = self.route.as_ref();
        route.and_then(|route| route.name.as_deref().or(route.id.as_deref())).unwrap_or_default()
    }

    /// Name of the consumer; empty without one.
    pub(crate) fn consumer(&self) -> &str {
        self.consumer.as_ref().and_then(|consumer| consumer.username.as_deref()).unwrap_or_default()
    }

    /// Who made the response.
    pub(crate) fn source(&self) -> &'static str {
        if self.source == "upstream" { "service" } else { "kong" }
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status.unwrap_or_default()
    }

    /// The times that are measured, in milliseconds, by the names of their metrics.
    pub(crate) fn latencies(&self) -> [(&'static str, Option<f64>); 3] {
        [
            (REQUEST_LATENCY, self.latencies.request),
            (UPSTREAM_LATENCY, self.latencies.proxy),
            (OWN_LATENCY, self.latencies.kong),
        ]
    }

    /// The bytes of response and request, by their direction.
    pub(crate) fn bytes(&self) -> [(&'static str, Option<f64>); 2] {
        let bytes = |message: &Message| message.size.as_ref().map(|size| size.0);
        [("egress", bytes(&self.response)), ("ingress", bytes(&self.request))]
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = moongate_sdk::serde_json::Value::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        number.map(Self).ok_or_else(|| serde::de::Error::custom("must be a number"))
    }
}
