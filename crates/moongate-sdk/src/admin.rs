//! Endpoints that a plugin adds to the Admin API.

use crate::{Error, Plugin, Reply};

/// Answers endpoints of the Admin API.
pub trait Admin: Plugin {
    /// The endpoints. Those of the gateway itself win over equal ones.
    const ROUTES: &'static [AdminRoute];

    /// Answers a request to one of [`Admin::ROUTES`].
    ///
    /// # Errors
    /// The request is answered with 500 and the error goes to the log.
    fn on_admin(request: &AdminRequest) -> Result<Reply, Error>;
}

/// One endpoint of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminRoute {
    /// HTTP method, in capitals.
    pub method: &'static str,
    /// Exact path, starting with a slash; by convention `/<plugin>/...`.
    pub path: &'static str,
    /// Whether the status listener serves it too, which is open to whoever watches the gateway.
    pub status: bool,
}

impl AdminRoute {
    /// An endpoint for any method.
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, status: false }
    }

    /// A `GET` endpoint.
    pub const fn get(path: &'static str) -> Self {
        Self::new("GET", path)
    }

    /// A `POST` endpoint.
    pub const fn post(path: &'static str) -> Self {
        Self::new("POST", path)
    }

    /// A `DELETE` endpoint.
    pub const fn delete(path: &'static str) -> Self {
        Self::new("DELETE", path)
    }

    /// Serves it on the status listener as well, which is open to whoever watches the gateway.
    #[must_use]
    pub const fn on_status(mut self) -> Self {
        self.status = true;
        self
    }
}

/// A request to an endpoint of the plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminRequest {
    /// HTTP method, in capitals.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Text behind the `?`, as received.
    pub query: Option<String>,
    /// Headers, with lower-case names, in the order received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}
