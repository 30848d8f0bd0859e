//! What a plugin may implement, each for itself. `export!` names those that it does.

use std::time::Duration;

use crate::{Decision, Error, Plugin, Problem, Request, Response};

/// A row of an entity: a JSON object.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// Sees each request before its route is known.
pub trait OnEarlyRequest: Plugin {
    /// Decides what happens to a request. Edits of its path, host, method and headers decide which route matches.
    ///
    /// Called for configurations that apply to all requests.
    ///
    /// # Errors
    /// As for [`OnRequest::on_request`].
    fn on_early_request(&self, request: &Request) -> Result<Decision, Error>;
}

/// Sees each request before it is sent upstream.
pub trait OnRequest: Plugin {
    /// Decides what happens to a request. Edits of `request` go upstream.
    ///
    /// # Errors
    /// An error means that the plugin failed: the request is answered with 500, or goes on without the plugin
    /// where the operator said so. To turn a request away, answer it with [`Decision::fail`].
    fn on_request(&self, request: &Request) -> Result<Decision, Error>;
}

/// Sees the head of each response.
pub trait OnResponse: Plugin {
    /// Changes the head of a response; the body streams on, unless [`Response::watch_body`] asks for it.
    ///
    /// # Errors
    /// As for [`OnRequest::on_request`].
    fn on_response(&self, response: &Response) -> Result<(), Error>;
}

/// Sees the body of responses.
pub trait OnResponseBody: Plugin {
    /// Changes a piece of a body: what is returned takes its place, `None` leaves it as it is.
    ///
    /// Called for responses whose body was asked for with [`Response::watch_body`]; for all of them, in chunks,
    /// where the plugin does not export [`OnResponse`]. `last` comes with the last piece, which may be empty. The
    /// head is on its way already, except for bodies that are seen whole.
    ///
    /// # Errors
    /// The body is cut off, or passes unchanged where the operator said so.
    fn on_response_body(
        &self,
        response: &Response,
        piece: Vec<u8>,
        last: bool,
    ) -> Result<Option<Vec<u8>>, Error>;
}

/// Gets records of finished requests.
pub trait OnLog: Plugin {
    /// Handles a batch of records, each a JSON object as text.
    ///
    /// Called off the way of requests. The field `queue` of the configuration says how large batches are, how long
    /// they wait and how often a failed one is tried again.
    ///
    /// # Errors
    /// The batch is tried again, or dropped.
    fn on_log(&self, records: &[String]) -> Result<(), Error>;
}

/// Is called at intervals.
pub trait OnTimer: Plugin {
    /// From one call to the next, at least 100 ms.
    const INTERVAL: Duration;

    /// Does what is to be done now and then, for each configuration, once on each node.
    ///
    /// # Errors
    /// The error goes to the log.
    fn on_timer(&self) -> Result<(), Error>;
}

/// Looks at the plugin's own entities before they are stored.
pub trait OnEntityWrite: Plugin {
    /// Changes or refuses a row that is about to be written, after it has passed its schema.
    ///
    /// `changed` names the fields whose values are other than those that are stored: of a new row all that are set. A
    /// field that is not among them has been through here already.
    ///
    /// # Errors
    /// What is wrong with the row. It is then not written.
    fn on_write(entity: &str, row: Row, changed: &[String]) -> Result<Row, Vec<Problem>>;
}
