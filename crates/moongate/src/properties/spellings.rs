//! Other names of properties: Kong has two of some, and those of nginx's directives.

use serde_yaml::Value;

use super::dns;
use super::table::{Properties, Property, TABLE};
use super::value::Read;

/// A name that means one property or several.
pub(super) struct Spelling {
    pub(super) name: &'static str,
    /// The properties that it sets.
    pub(super) of: &'static [&'static str],
    /// Where its values are others than the property's.
    read: Option<fn(&mut Properties, &Value) -> Read<()>>,
}

impl Spelling {
    /// The spelling that is written so.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        SPELLINGS.iter().find(|spelling| spelling.name == name)
    }

    /// Reads a value, or says what is wrong with it.
    pub(super) fn read(&self, properties: &mut Properties, value: &Value) -> Read<()> {
        if let Some(read) = self.read {
            return read(properties, value);
        }
        self.properties().try_for_each(|property| (property.read)(properties, value))
    }

    fn properties(&self) -> impl Iterator<Item = &'static Property> {
        TABLE.iter().filter(|property| self.of.contains(&property.name))
    }
}

const SPELLINGS: &[Spelling] = &[
    Spelling { name: "nginx_http_client_max_body_size", of: &["client_max_body_size"], read: None },
    Spelling { name: "resolver_address", of: &["dns_resolver"], read: None },
    Spelling { name: "resolver_hosts_file", of: &["dns_hostsfile"], read: None },
    Spelling {
        name: "resolver_family",
        of: &["dns_order"],
        read: Some(|properties, value| dns::read_family(value).map(|order| properties.dns_order = order)),
    },
    Spelling { name: "resolver_valid_ttl", of: &["dns_valid_ttl"], read: None },
    Spelling { name: "resolver_stale_ttl", of: &["dns_stale_ttl"], read: None },
    // It counts for names that do not exist as well.
    Spelling { name: "resolver_error_ttl", of: &["dns_not_found_ttl", "dns_error_ttl"], read: None },
    Spelling { name: "resolver_lru_cache_size", of: &["dns_cache_size"], read: None },
];
