//! Which rule a value breaks.

use serde_json::Value;

use super::{NOT_A_UUID, contains, is_uuid, listed, quoted, same};
use crate::text::{number_text, plain};
use crate::{PatternRule, Rules, checks, pattern};

impl Rules {
    /// The text of the first rule that a value of the right type breaks. A text without a rule for its length
    /// has at least one byte.
    pub(crate) fn broken(&self, value: &Value, is_text: bool) -> Option<String> {
        self.value_broken(value)
            .or_else(|| self.number_broken(value))
            .or_else(|| self.length_broken(value, is_text))
            .or_else(|| value.as_str().and_then(|text| self.pattern_broken(text)))
            .or_else(|| self.list_broken(value))
    }

    fn value_broken(&self, value: &Value) -> Option<String> {
        if let Some(eq) = self.eq.as_ref().filter(|eq| !same(eq, value)) {
            return Some(format!("value must be {}", plain(eq)));
        }
        if let Some(ne) = self.ne.as_ref().filter(|ne| same(ne, value)) {
            return Some(format!("value must not be {}", plain(ne)));
        }
        if let Some(values) = self.not_one_of.as_ref().filter(|values| contains(values, value)) {
            return Some(format!("must not be one of: {}", listed(values)));
        }
        let values = self.one_of.as_ref().filter(|values| !contains(values, value))?;
        Some(format!("expected one of: {}", listed(values)))
    }

    fn number_broken(&self, value: &Value) -> Option<String> {
        let number = value.as_f64();
        if let Some(than) = self.gt.filter(|than| number.is_some_and(|number| number <= *than)) {
            return Some(format!("value must be greater than {}", number_text(than)));
        }
        if self.timestamp && number.is_none_or(|number| number <= 0.0) {
            return Some("expected a valid timestamp".to_owned());
        }
        if self.uuid && !value.as_str().is_some_and(is_uuid) {
            return Some(NOT_A_UUID.to_owned());
        }
        if self.is_regex && value.as_str().is_some_and(|text| !checks::is_regex(text)) {
            return Some(format!("not a valid regex: {}", plain(value)));
        }
        let (least, most) = self.between?;
        let is_outside = number.is_some_and(|number| !(least..=most).contains(&number));
        is_outside.then(|| match (least.is_infinite(), most.is_infinite()) {
            (true, _) => format!("value should be at most {}", number_text(most)),
            (_, true) => format!("value should be at least {}", number_text(least)),
            _ => format!("value should be between {} and {}", number_text(least), number_text(most)),
        })
    }

    fn length_broken(&self, value: &Value, is_text: bool) -> Option<String> {
        let length = match value {
            Value::String(text) => text.len(),
            Value::Array(values) => values.len(),
            Value::Object(members) => members.len(),
            _ => return None,
        };
        if let Some(eq) = self.length.eq.filter(|eq| *eq != length) {
            return Some(format!("length must be {eq}"));
        }
        let least = self.length.min.unwrap_or(usize::from(is_text));
        if length < least {
            return Some(format!("length must be at least {least}"));
        }
        let most = self.length.max.filter(|most| *most < length)?;
        Some(format!("length must be at most {most}"))
    }

    fn pattern_broken(&self, text: &str) -> Option<String> {
        let invalid = || format!("invalid value: {text}");
        if let Some(prefix) = self.starts_with.as_ref().filter(|prefix| !text.starts_with(prefix.as_str())) {
            return Some(format!("should start with: {prefix}"));
        }
        if self.not_match.as_ref().is_some_and(|not_match| pattern::matches(not_match, text)) {
            return Some(invalid());
        }
        let own = |rule: &PatternRule| rule.err.clone().unwrap_or_else(invalid);
        if let Some(rule) = self.match_none.iter().find(|rule| pattern::matches(&rule.pattern, text)) {
            return Some(own(rule));
        }
        if self.matches.as_ref().is_some_and(|wanted| !pattern::matches(wanted, text)) {
            return Some(invalid());
        }
        if let Some(rule) = self.match_all.iter().find(|rule| !pattern::matches(&rule.pattern, text)) {
            return Some(own(rule));
        }
        if self.pattern.as_ref().is_some_and(|wanted| !wanted.is_match(text)) {
            return Some(invalid());
        }
        let (patterns, err) = self.match_any.as_ref()?;
        let is_matched = patterns.iter().any(|wanted| pattern::matches(wanted, text));
        (!is_matched).then(|| err.clone().unwrap_or_else(invalid))
    }

    fn list_broken(&self, value: &Value) -> Option<String> {
        let elements = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
        if let Some(wanted) = self.contains.as_ref().filter(|wanted| !contains(elements, wanted)) {
            return Some(format!("expected to contain: {}", plain(wanted)));
        }
        if let Some(text) = self.check.and_then(|check| (check.run)(value).err()) {
            return Some(text);
        }
        let sets = self.mutually_exclusive_subsets.as_ref()?;
        let hit = sets.iter().filter(|set| set.iter().any(|member| contains(elements, member)));
        let hit: Vec<String> = hit.map(|set| format!("({})", quoted(set.iter().map(plain)))).collect();
        (hit.len() > 1).then(|| format!("these sets are mutually exclusive: {}", hit.join(", ")))
    }
}
