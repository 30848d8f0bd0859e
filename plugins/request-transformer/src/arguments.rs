//! Arguments of queries and forms.

use moongate_sdk::text::decode;

use crate::rules::Fields;

/// Arguments by name, each with its values. A value is none where there is no `=`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments(Vec<(String, Vec<Option<String>>)>);

impl Arguments {
    pub(crate) fn parse(text: &str) -> Self {
        let mut arguments = Self::default();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(decode(value))),
                None => (part, None),
            };
            let name = decode(name);
            if name.is_empty() {
                continue;
            }
            match arguments.values_mut(&name) {
                Some(values) => values.push(value),
                None => arguments.0.push((name, vec![value])),
            }
        }
        arguments
    }

    /// The arguments as a query or form, in their order.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        for (name, values) in &self.0 {
            for value in values {
                if !text.is_empty() {
                    text.push('&');
                }
                escape(name, &mut text);
                if let Some(value) = value {
                    text.push('=');
                    escape(value, &mut text);
                }
            }
        }
        text
    }

    /// Puts the arguments into the order of their names.
    pub(crate) fn sort(&mut self) {
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
    }

    /// The first value of an argument.
    pub(crate) fn first(&self, name: &str) -> Option<Option<&str>> {
        let (_, values) = self.0.iter().find(|(known, _)| known == name)?;
        values.first().map(Option::as_deref)
    }

    /// Takes over the arguments of `other`, behind those of the same names.
    pub(crate) fn extend(&mut self, other: Self) {
        for (name, mut values) in other.0 {
            match self.values_mut(&name) {
                Some(own) => own.append(&mut values),
                None => self.0.push((name, values)),
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn values_mut(&mut self, name: &str) -> Option<&mut Vec<Option<String>>> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, values)| values)
    }

    fn put(&mut self, name: String, values: Vec<Option<String>>) {
        match self.values_mut(&name) {
            Some(own) => *own = values,
            None => self.0.push((name, values)),
        }
    }
}

impl Fields for Arguments {
    fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    fn rename(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        if let Some(at) = self.0.iter().position(|(known, _)| known == old) {
            let (_, values) = self.0.remove(at);
            self.put(new.to_owned(), values);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.put(name.to_owned(), vec![Some(value.to_owned())]);
    }

    fn append(&mut self, name: &str, value: &str) {
        match self.values_mut(name) {
            // A name without a value gets one.
            Some(values) if *values != [None] => values.push(Some(value.to_owned())),
            _ => self.set(name, value),
        }
    }
}

/// Writes a name or value with escapes for what means something in a query.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!'()*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(u32::from(digit), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_order_and_whether_they_have_a_value() {
        let arguments = Arguments::parse("b=1&a=%20x+y&b=2&c&d=&&=z&b");
        assert_eq!(arguments.encode(), "b=1&b=2&b&a=%20x%20y&c&d=");
        assert_eq!(arguments.first("b"), Some(Some("1")));
        assert_eq!(arguments.first("c"), Some(None));
        assert_eq!(arguments.first("z"), None);
    }

    #[test]
    fn characters_that_mean_something_are_escaped() {
        let mut arguments = Arguments::default();
        arguments.set("a b", "é&=+/?!'()*~");
        assert_eq!(arguments.encode(), "a%20b=%C3%A9%26%3D%2B%2F%3F!'()*~");
        assert_eq!(Arguments::parse(&arguments.encode()), arguments);
    }

    #[test]
    fn a_renamed_argument_takes_the_place_of_another() {
        let mut arguments = Arguments::parse("a=1&z=2&a=3");
        arguments.rename("a", "z");
        arguments.rename("none", "b");
        arguments.rename("z", "z");
        assert_eq!(arguments.encode(), "z=1&z=3");
    }

    #[test]
    fn a_value_is_appended_to_those_that_are_there() {
        let mut arguments = Arguments::parse("a=1&flag");
        for name in ["a", "b", "flag"] {
            arguments.append(name, "x");
        }
        assert_eq!(arguments.encode(), "a=1&a=x&flag=x&b=x");
    }
}
