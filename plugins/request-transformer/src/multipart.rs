//! Parts of a form with several parts.

use crate::rules::Fields;

/// The parts of a body, in their order.
#[derive(Debug)]
pub(crate) struct Parts {
    boundary: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    name: String,
    /// The lines of its head, without the empty one.
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Parts {
    /// Takes a body apart. Nothing where the content type names no boundary, or the body is broken.
    pub(crate) fn parse(content_type: &str, body: &[u8]) -> Option<Self> {
        let boundary = parameter(content_type, "boundary")?;
        let delimiter = format!("--{boundary}").into_bytes();
        let mut parts = Vec::new();
        if body.is_empty() {
            return Some(Self { boundary, parts });
        }
        let mut rest = behind(body, &delimiter)?.1;
        while !rest.starts_with(b"--") {
            let inner = [b"\r\n", delimiter.as_slice()].concat();
            let (part, next) = behind(rest.strip_prefix(b"\r\n")?, &inner)?;
            parts.push(Part::parse(part)?);
            rest = next;
        }
        Some(Self { boundary, parts })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let delimiter = format!("--{}", self.boundary).into_bytes();
        for part in &self.parts {
            for piece in [delimiter.as_slice(), b"\r\n", &part.head, b"\r\n\r\n", &part.body, b"\r\n"] {
                body.extend_from_slice(piece);
            }
        }
        body.extend_from_slice(&delimiter);
        body.extend_from_slice(b"--\r\n");
        body
    }
}

impl Part {
    fn parse(text: &[u8]) -> Option<Self> {
        let (head, body) = behind(text, b"\r\n\r\n")?;
        let lines = String::from_utf8_lossy(head);
        let disposition = lines.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        });
        let name = disposition.and_then(|value| parameter(value, "name")).unwrap_or_default();
        Some(Self { name, head: head.to_vec(), body: body.to_vec() })
    }

    fn new(name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"").into_bytes();
        Self { name: name.to_owned(), head, body: value.as_bytes().to_vec() }
    }
}

impl Fields for Parts {
    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }

    fn remove(&mut self, name: &str) {
        self.parts.retain(|part| part.name != name);
    }

    fn rename(&mut self, old: &str, new: &str) {
        let Some(part) = self.parts.iter().find(|part| part.name == old) else { return };
        let value = part.body.clone();
        self.remove(old);
        self.remove(new);
        self.parts.push(Part { body: value, ..Part::new(new, "") });
    }

    fn set(&mut self, name: &str, value: &str) {
        let part = Part::new(name, value);
        match self.parts.iter_mut().find(|part| part.name == name) {
            Some(own) => *own = part,
            None => self.parts.push(part),
        }
    }

    fn append(&mut self, name: &str, value: &str) {
        self.parts.push(Part::new(name, value));
    }
}

/// A parameter of a header's value, such as `boundary` of a content type.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (known, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        (known.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// What is before and behind the first `mark` in a text.
fn behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"xx\"";
    const BODY: &str = "--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xx\r\ncontent-disposition: \
                        form-data; name=\"f\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nline\r\n--x\r\n--xx--\r\n";

    fn edited(edit: impl FnOnce(&mut Parts)) -> String {
        let mut parts = Parts::parse(TYPE, BODY.as_bytes()).unwrap();
        edit(&mut parts);
        String::from_utf8(parts.encode()).unwrap()
    }

    #[test]
    fn parts_that_are_not_touched_stay_as_they_are() {
        assert_eq!(edited(|_| {}), BODY);
    }

    #[test]
    fn parts_are_found_by_their_names() {
        let text = edited(|parts| {
            assert!(parts.has("a") && parts.has("f") && !parts.has("f.txt"));
            parts.remove("f");
            parts.set("a", "2");
            parts.append("a", "3");
            parts.set("b", "4");
            parts.rename("b", "c");
            parts.rename("none", "d");
        });
        let part = |name: &str, value: &str| {
            format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        assert_eq!(text, format!("{}{}{}--xx--\r\n", part("a", "2"), part("a", "3"), part("c", "4")));
    }

    #[test]
    fn a_body_that_is_broken_is_none() {
        for body in ["x", "--xx", "--xx\r\nno end", "--xx\r\nno head\r\n--xx--"] {
            assert!(Parts::parse(TYPE, body.as_bytes()).is_none(), "{body}");
        }
        assert!(Parts::parse("multipart/form-data", BODY.as_bytes()).is_none());
    }

    #[test]
    fn an_empty_body_has_no_parts() {
        let mut parts = Parts::parse(TYPE, b"").unwrap();
        parts.set("a", "1");
        assert_eq!(
            parts.encode(),
            b"--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xx--\r\n"
        );
    }
}
