//! What is slow to compile, shared between the routes of a router and with the router that replaces it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use regex::bytes;

use crate::expression::{Program, Subsystem};
use crate::path_regex::PathRegex;

/// Compiled expressions by their texts.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    paths: HashMap<Box<str>, Arc<PathRegex>>,
    headers: HashMap<Box<str>, Arc<bytes::Regex>>,
    http: HashMap<Box<str>, Arc<Program>>,
    streams: HashMap<Box<str>, Arc<Program>>,
}

impl Pool {
    /// Compiles what was left for later, at most `limit` of it.
    ///
    /// Those that many paths have to be compared with come first.
    pub(crate) fn warm(&self, limit: usize) {
        let mut cold: Vec<_> = self.paths.values().filter(|regex| !regex.is_compiled()).collect();
        cold.sort_unstable_by_key(|regex| regex.literal().len());
        for regex in cold.into_iter().take(limit) {
            regex.regex();
        }
    }
}

/// Compiles expressions, each text once, and none that an earlier pool has.
#[derive(Debug)]
pub(crate) struct Compiler<'p> {
    earlier: Option<&'p Pool>,
    pool: Pool,
}

impl<'p> Compiler<'p> {
    pub(crate) fn new(earlier: Option<&'p Pool>) -> Self {
        Self { earlier, pool: Pool::default() }
    }

    /// What was compiled or taken over, and nothing else of the earlier pool.
    pub(crate) fn finish(self) -> Pool {
        self.pool
    }

    /// The regular expression of a path, anchored already.
    pub(crate) fn path(&mut self, text: String) -> Result<Arc<PathRegex>, String> {
        let earlier = self.earlier.map(|pool| &pool.paths);
        take(&mut self.pool.paths, earlier, &text, || PathRegex::new(&text))
    }

    /// The regular expression of a header's value, for which case makes no difference.
    pub(crate) fn header(&mut self, text: &str) -> Result<Arc<bytes::Regex>, String> {
        let earlier = self.earlier.map(|pool| &pool.headers);
        take(&mut self.pool.headers, earlier, text, || {
            let regex = bytes::RegexBuilder::new(text).case_insensitive(true).build();
            regex.map_err(|error| error.to_string())
        })
    }

    /// The program of an expression.
    pub(crate) fn program(&mut self, text: &str, subsystem: Subsystem) -> Result<Arc<Program>, String> {
        let (pool, earlier) = match subsystem {
            Subsystem::Http => (&mut self.pool.http, self.earlier.map(|pool| &pool.http)),
            Subsystem::Stream => (&mut self.pool.streams, self.earlier.map(|pool| &pool.streams)),
        };
        take(pool, earlier, text, || Program::parse(text, subsystem))
    }
}

fn take<K, V>(
    pool: &mut HashMap<K, Arc<V>>,
    earlier: Option<&HashMap<K, Arc<V>>>,
    text: &str,
    compile: impl FnOnce() -> Result<V, String>,
) -> Result<Arc<V>, String>
where
    K: Borrow<str> + Eq + Hash + for<'t> From<&'t str>,
{
    if let Some(known) = pool.get(text) {
        return Ok(Arc::clone(known));
    }
    let compiled = match earlier.and_then(|earlier| earlier.get(text)) {
        Some(known) => Arc::clone(known),
        None => Arc::new(compile()?),
    };
    pool.insert(text.into(), Arc::clone(&compiled));
    Ok(compiled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_many_paths_meet_are_compiled_first() {
        let mut compiler = Compiler::new(None);
        let [long, short] = ["^/long\\d", "^/\\d"].map(|text| compiler.path(text.to_owned()).unwrap());
        let pool = compiler.finish();
        pool.warm(1);
        assert!(short.is_compiled() && !long.is_compiled());
        pool.warm(usize::MAX);
        assert!(long.is_compiled());
    }

    #[test]
    fn a_text_is_compiled_once_and_taken_over_by_the_next_router() {
        let mut first = Compiler::new(None);
        let path = first.path("^/a".to_owned()).unwrap();
        assert!(Arc::ptr_eq(&path, &first.path("^/a".to_owned()).unwrap()));
        let header = first.header("a").unwrap();
        let program = first.program("net.src.port == 1", Subsystem::Stream).unwrap();
        first.header("unused later").unwrap();
        let pool = first.finish();

        let mut second = Compiler::new(Some(&pool));
        assert!(Arc::ptr_eq(&path, &second.path("^/a".to_owned()).unwrap()));
        assert!(Arc::ptr_eq(&header, &second.header("a").unwrap()));
        let same = second.program("net.src.port == 1", Subsystem::Stream).unwrap();
        assert!(Arc::ptr_eq(&program, &same));
        let of_http = second.program("net.src.port == 1", Subsystem::Http).unwrap();
        assert!(!Arc::ptr_eq(&program, &of_http), "other fields are known there");
        assert!(!second.finish().headers.contains_key("unused later"));
    }
}
