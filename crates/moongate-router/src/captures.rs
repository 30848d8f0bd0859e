//! What the groups of a regular expression matched.

use regex::Regex;

/// The texts that the groups of the winning route's regular expressions matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    /// By number; 0 is the whole match. A group that took no part has none.
    numbered: Vec<Option<String>>,
    /// In the order of the groups.
    named: Vec<(String, String)>,
}

impl Captures {
    /// The text of the group with this number; 0 stands for the whole match.
    pub fn get(&self, number: usize) -> Option<&str> {
        self.numbered.get(number)?.as_deref()
    }

    /// The text of the group with this name.
    pub fn name(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// The names of groups and their texts, in the order of the groups.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The texts of all groups, those without a name as well, from number 1.
    pub fn numbered(&self) -> impl Iterator<Item = Option<&str>> {
        self.numbered.iter().skip(1).map(Option::as_deref)
    }

    /// The names and texts of the groups that have a name.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Whether no regular expression matched.
    pub fn is_empty(&self) -> bool {
        self.numbered.is_empty()
    }

    /// Adds the groups that took part when `regex` matches `text`. What an earlier expression captured under the
    /// same number or name is replaced.
    pub(crate) fn add(&mut self, regex: &Regex, text: &str) {
        let Some(found) = regex.captures(text) else { return };
        if self.numbered.len() < found.len() {
            self.numbered.resize(found.len(), None);
        }
        for ((group, place), name) in found.iter().zip(&mut self.numbered).zip(regex.capture_names()) {
            let Some(group) = group else { continue };
            *place = Some(group.as_str().to_owned());
            let Some(name) = name else { continue };
            match self.named.iter_mut().find(|(known, _)| known == name) {
                Some((_, text)) => group.as_str().clone_into(text),
                None => self.named.push((name.to_owned(), group.as_str().to_owned())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_known_by_number_and_name() {
        let mut captures = Captures::default();
        assert!(captures.is_empty());
        captures.add(&Regex::new("/(?<kind>cats|dogs)(x)?/(\\d+)").unwrap(), "/dogs/12/more");
        assert_eq!(captures.get(0), Some("/dogs/12"));
        assert_eq!(captures.get(1), Some("dogs"));
        assert_eq!(captures.get(2), None);
        assert_eq!(captures.get(3), Some("12"));
        assert_eq!(captures.get(4), None);
        assert_eq!(captures.name("kind"), Some("dogs"));
        assert_eq!(captures.name("other"), None);
        assert_eq!(captures.numbered().collect::<Vec<_>>(), [Some("dogs"), None, Some("12")]);
        assert_eq!(captures.named().collect::<Vec<_>>(), [("kind", "dogs")]);
    }

    #[test]
    fn a_later_expression_replaces_what_it_captures_itself() {
        let mut captures = Captures::default();
        captures.add(&Regex::new("(?<a>.)(?<b>.)").unwrap(), "xy");
        captures.add(&Regex::new("(?<b>.)").unwrap(), "z");
        assert_eq!(captures.get(1), Some("z"));
        assert_eq!(captures.get(2), Some("y"));
        assert_eq!((captures.name("a"), captures.name("b")), (Some("x"), Some("z")));
    }
}
