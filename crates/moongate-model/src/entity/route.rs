//! What requests are matched by.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Protocol, Reference};

/// What requests are matched by, and which service they go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Primary key.
    pub id: Uuid,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Protocols that the route serves.
    pub protocols: Vec<Protocol>,
    /// HTTP methods.
    pub methods: Option<Vec<String>>,
    /// Host names, with at most one leading or trailing wildcard label, and optionally a port.
    pub hosts: Option<Vec<String>>,
    /// Path prefixes, or regular expressions behind a `~`.
    pub paths: Option<Vec<String>>,
    /// Header names with the values of which one must be present.
    pub headers: Option<BTreeMap<String, Vec<String>>>,
    /// TLS server names.
    pub snis: Option<Vec<String>>,
    /// Client addresses of a stream route.
    pub sources: Option<Vec<SourceOrDestination>>,
    /// Listener addresses of a stream route.
    pub destinations: Option<Vec<SourceOrDestination>>,
    /// What a plain-HTTP request to an https-only route is answered with.
    pub https_redirect_status_code: HttpsRedirectStatus,
    /// Order among regular expressions, higher first.
    pub regex_priority: i64,
    /// Whether the matched prefix is removed before forwarding.
    pub strip_path: bool,
    /// How service path, matched path and rest are joined.
    pub path_handling: PathHandling,
    /// Whether the client's Host header is kept.
    pub preserve_host: bool,
    /// Whether request bodies may be buffered.
    pub request_buffering: bool,
    /// Whether response bodies may be buffered.
    pub response_buffering: bool,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// The service that matching requests go to.
    pub service: Option<Reference>,
    /// What requests are matched by in the language of expressions, in place of the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Order among expressions, higher first; unset counts as 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u64>,
}

/// One element of `sources` or `destinations`; at least one member is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceOrDestination {
    /// Address or CIDR range.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
}

/// How a service's path, the matched path and the rest of a request's path are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathHandling {
    /// Joins with exactly one slash; the default.
    #[default]
    V0,
    /// Joins the texts as they are.
    V1,
}

/// The status with which a plain-HTTP request to an https-only route is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpsRedirectStatus {
    /// 426 Upgrade Required; the default.
    #[default]
    UpgradeRequired,
    /// 301 Moved Permanently.
    MovedPermanently,
    /// 302 Found.
    Found,
    /// 307 Temporary Redirect.
    TemporaryRedirect,
    /// 308 Permanent Redirect.
    PermanentRedirect,
}

impl HttpsRedirectStatus {
    const ALL: [Self; 5] = [
        Self::UpgradeRequired,
        Self::MovedPermanently,
        Self::Found,
        Self::TemporaryRedirect,
        Self::PermanentRedirect,
    ];

    /// The status code.
    pub fn code(self) -> u16 {
        match self {
            Self::UpgradeRequired => 426,
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

impl Serialize for HttpsRedirectStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.code())
    }
}

impl<'de> Deserialize<'de> for HttpsRedirectStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u16::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|status| status.code() == code)
            .ok_or_else(|| D::Error::custom(format_args!("{code} is no status of a redirection to TLS")))
    }
}
