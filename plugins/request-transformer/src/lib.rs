//! Changes requests on their way to the upstream.

mod arguments;
mod body;
mod config;
mod headers;
mod json;
mod multipart;
mod rules;
mod source;
mod template;

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, Schema, export};

use crate::arguments::Arguments;
use crate::body::Kind;
pub use crate::config::{Changes, Config, Names, Replacements};
use crate::headers::HeaderNames;
use crate::rules::{Part, Rules};
use crate::source::RequestValues;
use crate::template::Template;

/// See the crate's description.
pub struct RequestTransformer {
    method: Option<String>,
    path: Option<Template>,
    body: Rules,
    query: Rules,
    headers: Rules,
    header_names: HeaderNames,
    /// The upstream's virtual host. It is always there to be replaced.
    host: Option<Template>,
}

impl Plugin for RequestTransformer {
    type Config = Config;
    const PRIORITY: i32 = 801;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let Config { http_method, remove, rename, replace, add, append } = &config;
        let mut rules = |part| Rules::new(part, (remove, rename, replace, add, append), &mut problems);
        let (body, query) = (rules(Part::Body), rules(Part::Querystring));
        let mut headers = rules(Part::Headers);
        let host = headers.take_host();
        let path = match replace.uri.as_deref().map(Template::parse) {
            None => None,
            Some(Ok(path)) => Some(path),
            Some(Err(error)) => {
                let uri = replace.uri.as_deref().unwrap_or_default();
                let message = format!("value '{uri}' is not in supported format, error:{error}");
                problems.push(Problem::at("replace.uri", message));
                None
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let header_names = HeaderNames::of(&headers);
        Ok(Self { method: http_method.clone(), path, body, query, headers, header_names, host })
    }
}

impl OnRequest for RequestTransformer {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        if let Some(method) = &self.method {
            change_method(request, method)?;
        }
        let mut source = RequestValues::new(request);
        if let Some(path) = &self.path {
            change_path(request, &path.render(&mut source)?)?;
        }
        if !self.body.is_empty() {
            body::change(request, &self.body, &mut source)?;
        }
        if !self.query.is_empty() {
            let mut arguments = Arguments::parse(&request.query().unwrap_or_default());
            // It is written also if nothing was changed, so that its order does not depend on what was.
            self.query.apply(&mut arguments, &mut source)?;
            write_query(request, arguments)?;
        }
        if !self.headers.is_empty() {
            let mut headers = self.header_names.fetch(request);
            self.headers.apply(&mut headers, &mut source)?;
            headers.write(request)?;
        }
        if let Some(host) = &self.host {
            request.set_header("host", host.render(&mut source)?.as_bytes())?;
        }
        Ok(Decision::Continue)
    }
}

/// Changes the method. Methods that usually have no body get the fields of a form as arguments of the query; the
/// body goes upstream all the same.
fn change_method(request: &Request, method: &str) -> Result<(), Error> {
    if !request.set_method(method) {
        return Err(Error::new(format!("`{method}` is no method")));
    }
    let content_type = || request.header_text("content-type").unwrap_or_default();
    if !matches!(method, "GET" | "HEAD" | "TRACE") || Kind::of(&content_type()) != Some(Kind::Form) {
        return Ok(());
    }
    let Some(body) = body::read(request)? else { return Ok(()) };
    let fields = Arguments::parse(&String::from_utf8_lossy(&body));
    if fields.is_empty() {
        return Ok(());
    }
    let mut arguments = Arguments::parse(&request.query().unwrap_or_default());
    arguments.extend(fields);
    write_query(request, arguments)
}

/// Changes the path. A query in it comes before the one that is there.
fn change_path(request: &Request, path: &str) -> Result<(), Error> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    if !request.set_path(path) {
        return Err(Error::new(format!("`{path}` is no path")));
    }
    let Some(query) = query else { return Ok(()) };
    let query = match request.query().filter(|own| !own.is_empty()) {
        Some(own) => format!("{query}&{own}"),
        None => query.to_owned(),
    };
    if request.set_query(Some(&query)) { Ok(()) } else { Err(Error::new(format!("`{query}` is no query"))) }
}

/// Arguments go upstream in the order of their names.
fn write_query(request: &Request, mut arguments: Arguments) -> Result<(), Error> {
    arguments.sort();
    let query = arguments.encode();
    if request.set_query((!query.is_empty()).then_some(&query)) {
        Ok(())
    } else {
        Err(Error::new(format!("`{query}` is no query")))
    }
}

export!(RequestTransformer: OnRequest);

#[cfg(test)]
mod tests;
