//! Host names with wildcards and ports.

/// A configured host: a name or a wildcard, and the port that it is limited to.
#[derive(Debug)]
pub(crate) struct HostPattern {
    pub(crate) name: NamePattern,
    pub(crate) port: Option<u16>,
}

impl HostPattern {
    pub(crate) fn new(text: &str) -> Self {
        let (name, port) = split_port(text);
        Self { name: NamePattern::new(name), port }
    }
}

/// What the index files a host under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum HostKey<'a> {
    /// The whole name.
    Exact(&'a str),
    /// The end of the name, from one of its dots.
    End(&'a str),
    /// The start of the name, up to and with one of its dots.
    Start(&'a str),
}

impl<'a> HostKey<'a> {
    /// The key of names that end in `text`, if that begins at a dot.
    pub(crate) fn end(text: &'a str) -> Option<Self> {
        text.starts_with('.').then_some(Self::End(text))
    }

    /// The key of names that start with `text`, if that ends in a dot.
    pub(crate) fn start(text: &'a str) -> Option<Self> {
        text.ends_with('.').then_some(Self::Start(text))
    }
}

/// A name, or a name with a `*` at one of its ends.
///
/// The star may stand for nothing: `*.a.test` matches `.a.test`.
#[derive(Debug)]
pub(crate) enum NamePattern {
    Exact(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
}

impl NamePattern {
    pub(crate) fn new(text: &str) -> Self {
        if let Some(end) = text.strip_prefix('*') {
            Self::EndsWith(end.into())
        } else if let Some(start) = text.strip_suffix('*') {
            Self::StartsWith(start.into())
        } else {
            Self::Exact(text.into())
        }
    }

    /// What the index files names of this pattern under, if it can.
    pub(crate) fn key(&self) -> Option<HostKey<'_>> {
        match self {
            Self::Exact(name) => Some(HostKey::Exact(name)),
            Self::StartsWith(start) => HostKey::start(start),
            Self::EndsWith(end) => HostKey::end(end),
        }
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::StartsWith(start) => name.starts_with(&**start),
            Self::EndsWith(end) => name.ends_with(&**end),
        }
    }
}

/// A host without its port, and the port.
///
/// The colons of an IPv6 address do not start a port: it must be in brackets to have one.
pub(crate) fn split_port(host: &str) -> (&str, Option<u16>) {
    if let Some((name, digits)) = host.rsplit_once(':')
        && (!name.contains(':') || name.ends_with(']'))
        && let Ok(port) = digits.parse()
    {
        return (name, Some(port));
    }
    (host, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_from_the_colons_of_an_address() {
        assert_eq!(split_port("a.test"), ("a.test", None));
        assert_eq!(split_port("a.test:80"), ("a.test", Some(80)));
        assert_eq!(split_port("a.test:x"), ("a.test:x", None));
        assert_eq!(split_port("a.test:99999"), ("a.test:99999", None));
        assert_eq!(split_port("::1"), ("::1", None));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
        assert_eq!(split_port("[::1]:443"), ("[::1]", Some(443)));
    }
}
