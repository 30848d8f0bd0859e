//! What is changed in the headers, the query or the body of a request.

use moongate_sdk::{Error, Problem};

use crate::config::{Changes, Names, Replacements};
use crate::template::{Source, Template};

/// The changes of one part of a request, in the order in which they are made.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) remove: Vec<String>,
    pub(crate) rename: Vec<(String, String)>,
    pub(crate) replace: Vec<Assignment>,
    pub(crate) add: Vec<Assignment>,
    pub(crate) append: Vec<Assignment>,
}

/// A name and the value that it gets.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    value: Template,
}

/// The part of a request that rules change.
pub(crate) trait Fields {
    /// Whether there is one of this name.
    fn has(&self, name: &str) -> bool;
    /// Removes those of this name.
    fn remove(&mut self, name: &str);
    /// Gives those of a name another one, in place of those that had it.
    fn rename(&mut self, old: &str, new: &str);
    /// Gives a name just this value.
    fn set(&mut self, name: &str, value: &str);
    /// Gives a name one more value.
    fn append(&mut self, name: &str, value: &str);
}

/// What kind of fields a configuration speaks of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Body,
    Headers,
    Querystring,
}

impl Rules {
    /// Takes the rules for `part` out of a configuration.
    pub(crate) fn new(
        part: Part,
        (remove, rename, replace, add, append): (&Names, &Changes, &Replacements, &Changes, &Changes),
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut assignments = |kind: &str, texts: &[String]| {
            let mut read = Vec::with_capacity(texts.len());
            for (at, text) in texts.iter().enumerate() {
                // What has no value changes nothing.
                let (name, Some(value)) = part.split(text) else { continue };
                match Template::parse(&value) {
                    Ok(value) => read.push(Assignment { name, value }),
                    Err(error) => problems.push(Problem::at(
                        format!("{kind}.{}.{at}", part.name()),
                        format!("value '{value}' is not in supported format, error:{error}"),
                    )),
                }
            }
            read
        };
        let (replace, add, append) = (
            assignments("replace", part.of_replacements(replace)),
            assignments("add", part.of_changes(add)),
            assignments("append", part.of_changes(append)),
        );
        let renames = part.of_changes(rename).iter().filter_map(|text| {
            let (old, new) = part.split(text);
            let new = new?;
            Some((old, if matches!(part, Part::Headers) { new.to_ascii_lowercase() } else { new }))
        });
        Self {
            remove: part.of_names(remove).iter().map(|text| part.split(text).0).collect(),
            rename: renames.collect(),
            replace,
            add,
            append,
        }
    }

    /// Takes the rules for `host` out, of which only a replacement means something: there is always a host, and
    /// just one. The last replacement counts.
    pub(crate) fn take_host(&mut self) -> Option<Template> {
        let is_other = |name: &str| name != "host";
        self.remove.retain(|name| is_other(name));
        self.rename.retain(|(_, new)| is_other(new));
        self.add.retain(|added| is_other(&added.name));
        self.append.retain(|appended| is_other(&appended.name));
        let (hosts, others) =
            std::mem::take(&mut self.replace).into_iter().partition(|new| !is_other(&new.name));
        self.replace = others;
        let hosts: Vec<Assignment> = hosts;
        hosts.into_iter().next_back().map(|host| host.value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty()
            && self.rename.is_empty()
            && self.replace.is_empty()
            && self.add.is_empty()
            && self.append.is_empty()
    }

    /// Changes `fields`; says whether anything was done.
    pub(crate) fn apply(&self, fields: &mut impl Fields, source: &mut impl Source) -> Result<bool, Error> {
        let mut is_changed = !self.remove.is_empty() || !self.rename.is_empty();
        for name in &self.remove {
            fields.remove(name);
        }
        for (old, new) in &self.rename {
            fields.rename(old, new);
        }
        for Assignment { name, value } in &self.replace {
            if fields.has(name) {
                fields.set(name, &value.render(source)?);
                is_changed = true;
            }
        }
        for Assignment { name, value } in &self.add {
            if !fields.has(name) {
                fields.set(name, &value.render(source)?);
                is_changed = true;
            }
        }
        for Assignment { name, value } in &self.append {
            fields.append(name, &value.render(source)?);
            is_changed = true;
        }
        Ok(is_changed)
    }

    /// As [`Rules::apply`], for what is empty: nothing is there to be removed, renamed or replaced.
    pub(crate) fn fill(&self, fields: &mut impl Fields, source: &mut impl Source) -> Result<bool, Error> {
        for Assignment { name, value } in &self.add {
            if !fields.has(name) {
                fields.set(name, &value.render(source)?);
            }
        }
        for Assignment { name, value } in &self.append {
            fields.append(name, &value.render(source)?);
        }
        Ok(!self.add.is_empty() || !self.append.is_empty())
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Headers => "headers",
            Self::Querystring => "querystring",
        }
    }

    fn of_names(self, names: &Names) -> &[String] {
        match self {
            Self::Body => &names.body,
            Self::Headers => &names.headers,
            Self::Querystring => &names.querystring,
        }
    }

    fn of_changes(self, changes: &Changes) -> &[String] {
        self.of_names(changes)
    }

    fn of_replacements(self, replacements: &Replacements) -> &[String] {
        match self {
            Self::Body => &replacements.body,
            Self::Headers => &replacements.headers,
            Self::Querystring => &replacements.querystring,
        }
    }

    /// The name and the value of `name:value`; colons in the value stay, except for those at its beginning.
    fn split(self, text: &str) -> (String, Option<String>) {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.trim_start_matches(':');
        let name = if matches!(self, Self::Headers) { name.to_ascii_lowercase() } else { name.to_owned() };
        (name, (!value.is_empty()).then(|| value.to_owned()))
    }
}
