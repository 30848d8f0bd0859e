//! Which thing a path names, and which methods that thing takes.

use percent_encoding::percent_decode_str;

use crate::collection::{COLLECTIONS, Collection, Relation};

/// What a path of the API's own names.
pub(crate) enum Resource {
    /// `/`
    Information,
    /// `/status`
    Status,
    /// `/endpoints`
    Endpoints,
    /// `/plugins/enabled`
    EnabledPlugins,
    /// `/moongate/plugins`
    PluginStates,
    /// `/moongate/plugins/{name}`
    PluginState(String),
    /// `/moongate/reload`
    Reload,
    /// `/services`, `/services/{services}/routes`
    Collection {
        /// The collection.
        collection: &'static Collection,
        /// The entity whose children are meant.
        parent: Option<Parent>,
    },
    /// `/services/{services}`, `/services/{services}/routes/{routes}`
    Entity {
        /// The collection.
        collection: &'static Collection,
        /// The entity, as the path has it.
        key: String,
        /// The entity whose child is meant.
        parent: Option<Parent>,
    },
    /// `/routes/{routes}/service`
    Related {
        /// The collection of the entity that holds the foreign key.
        collection: &'static Collection,
        /// That entity, as the path has it.
        key: String,
        /// The foreign key.
        relation: &'static Relation,
    },
}

/// The entity under which a nested path looks.
pub(crate) struct Parent {
    /// Its collection.
    pub(crate) collection: &'static Collection,
    /// The entity, as the path has it.
    pub(crate) key: String,
    /// The children's foreign key.
    pub(crate) relation: &'static Relation,
}

impl Resource {
    /// What `path` names; one slash at its end makes no difference.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let segments = segments(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Some(match *segments.as_slice() {
            [] => Self::Information,
            ["status"] => Self::Status,
            ["endpoints"] => Self::Endpoints,
            ["plugins", "enabled"] => Self::EnabledPlugins,
            ["moongate", "plugins"] => Self::PluginStates,
            ["moongate", "plugins", name] => Self::PluginState(name.to_owned()),
            ["moongate", "reload"] => Self::Reload,
            [name] => Self::Collection { collection: Collection::named(name)?, parent: None },
            [name, key] => {
                Self::Entity { collection: Collection::named(name)?, key: key.to_owned(), parent: None }
            }
            [name, key, below] => {
                let collection = Collection::named(name)?;
                match collection.relation(below) {
                    Some(relation) => Self::Related { collection, key: key.to_owned(), relation },
                    None => {
                        let (collection, parent) = nested(collection, key, below)?;
                        Self::Collection { collection, parent: Some(parent) }
                    }
                }
            }
            [name, key, below, child] => {
                let (collection, parent) = nested(Collection::named(name)?, key, below)?;
                Self::Entity { collection, key: child.to_owned(), parent: Some(parent) }
            }
            _ => return None,
        })
    }

    /// The methods that it takes, in alphabetical order.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Information
            | Self::Status
            | Self::Endpoints
            | Self::EnabledPlugins
            | Self::PluginStates
            | Self::PluginState(_) => &["GET", "HEAD", "OPTIONS"],
            Self::Reload => &["OPTIONS", "POST"],
            Self::Collection { .. } => &["GET", "HEAD", "OPTIONS", "POST"],
            Self::Entity { .. } | Self::Related { .. } => {
                &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"]
            }
        }
    }

    /// The pattern of every path that [`Resource::find`] knows, in no particular order.
    pub(crate) fn patterns() -> Vec<String> {
        let mut patterns: Vec<String> = FIXED.iter().map(|&pattern| pattern.to_owned()).collect();
        for collection in COLLECTIONS {
            let all = format!("/{}", collection.name);
            let one = format!("{all}/{{{}}}", collection.name);
            for relation in collection.relations {
                patterns.push(format!("{one}/{}", relation.field));
            }
            for child in COLLECTIONS.iter().filter(|child| child.relation_to(collection).is_some()) {
                let nested = format!("{one}/{}", child.name);
                patterns.push(format!("{nested}/{{{}}}", child.name));
                patterns.push(nested);
            }
            patterns.extend([all, one]);
        }
        patterns
    }
}

/// The segments of a path, decoded; `None` where a path names nothing at all.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| match percent_decode_str(segment).decode_utf8() {
            Ok(decoded) if !decoded.is_empty() => Some(decoded.into_owned()),
            _ => None,
        })
        .collect()
}

fn nested(collection: &'static Collection, key: &str, below: &str) -> Option<(&'static Collection, Parent)> {
    let child = Collection::named(below)?;
    let relation = child.relation_to(collection)?;
    Some((child, Parent { collection, key: key.to_owned(), relation }))
}

const FIXED: &[&str] = &[
    "/",
    "/status",
    "/endpoints",
    "/plugins/enabled",
    "/moongate/plugins",
    "/moongate/plugins/{name}",
    "/moongate/reload",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_pattern_is_found_and_no_double_slash_is() {
        for pattern in Resource::patterns() {
            assert!(Resource::find(&pattern).is_some(), "{pattern}");
            assert!(Resource::find(&format!("/{pattern}")).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference_and_two_do() {
        assert!(matches!(Resource::find("/services/"), Some(Resource::Collection { parent: None, .. })));
        assert!(Resource::find("/services//").is_none());
        assert!(Resource::find("/services//routes").is_none());
    }

    #[test]
    fn a_segment_is_decoded_after_the_path_was_cut_into_segments() {
        let Some(Resource::Entity { key, .. }) = Resource::find("/services/a%2Fb%20c") else { panic!() };
        assert_eq!(key, "a/b c");
    }

    #[test]
    fn a_segment_that_is_not_utf_8_names_nothing() {
        assert!(Resource::find("/services/%ff").is_none());
    }
}
