//! Lua patterns.
//!
//! The `match` rules of schemas are Lua patterns, and plugins of other gateways bring theirs, so they are
//! taken as they are: single-byte classes, sets, the four repetitions, anchors, captures with their
//! back-references, balanced pairs and frontiers. A malformed pattern matches nothing.

/// Whether `text` has a part that matches `pattern`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (pattern, is_anchored) = match pattern {
        [b'^', rest @ ..] => (rest, true),
        _ => (pattern, false),
    };
    let last = if is_anchored { 0 } else { text.len() };
    let mut matcher = Matcher { pattern, text, captures: Vec::new(), steps: 0 };
    (0..=last).any(|start| {
        matcher.captures.clear();
        matcher.run(0, start).is_some()
    })
}

/// Backtracking has no bound of its own; this one is far beyond what patterns for names and hosts need.
const MAX_STEPS: usize = 1_000_000;

struct Matcher<'a> {
    pattern: &'a [u8],
    text: &'a [u8],
    captures: Vec<Capture>,
    steps: usize,
}

#[derive(Debug, Clone, Copy)]
struct Capture {
    start: usize,
    end: Option<usize>,
}

impl Matcher<'_> {
    /// Matches the pattern from `p` on at `t`, and returns where the match ends.
    fn run(&mut self, p: usize, t: usize) -> Option<usize> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return None;
        }
        match self.pattern.get(p..)? {
            [] => Some(t),
            [b'$'] => (t == self.text.len()).then_some(t),
            [b'(', ..] => self.open(p + 1, t),
            [b')', ..] => self.close(p + 1, t),
            [b'%', b'b', open, close, ..] => {
                let end = self.balanced(*open, *close, t)?;
                self.run(p + 4, end)
            }
            [b'%', b'f', b'[', ..] => {
                let end = self.item_end(p + 2)?;
                let before = t.checked_sub(1).and_then(|at| self.text.get(at)).copied().unwrap_or(0);
                let here = self.text.get(t).copied().unwrap_or(0);
                let is_frontier = !self.in_set(before, p + 2, end) && self.in_set(here, p + 2, end);
                if is_frontier { self.run(end, t) } else { None }
            }
            [b'%', digit @ b'1'..=b'9', ..] => {
                let capture = *self.captures.get(usize::from(digit - b'1'))?;
                let captured = self.text.get(capture.start..capture.end?)?;
                let end = t + captured.len();
                if self.text.get(t..end) == Some(captured) { self.run(p + 2, end) } else { None }
            }
            _ => self.item(p, t),
        }
    }

    fn item(&mut self, p: usize, t: usize) -> Option<usize> {
        let end = self.item_end(p)?;
        match self.pattern.get(end) {
            Some(b'?') => {
                let taken = self.is_item(p, end, t).then(|| self.attempt(end + 1, t + 1)).flatten();
                taken.or_else(|| self.run(end + 1, t))
            }
            Some(b'*') => self.longest(p, end, t, 0),
            Some(b'+') => self.longest(p, end, t, 1),
            Some(b'-') => {
                let mut at = t;
                loop {
                    if let Some(found) = self.attempt(end + 1, at) {
                        return Some(found);
                    }
                    if !self.is_item(p, end, at) || self.steps > MAX_STEPS {
                        return None;
                    }
                    at += 1;
                }
            }
            _ if self.is_item(p, end, t) => self.run(end, t + 1),
            _ => None,
        }
    }

    fn longest(&mut self, p: usize, end: usize, t: usize, least: usize) -> Option<usize> {
        let mut count = 0;
        while self.is_item(p, end, t + count) {
            count += 1;
        }
        (least..=count).rev().find_map(|count| self.attempt(end + 1, t + count))
    }

    /// As `run`, but captures are as before when nothing matches.
    fn attempt(&mut self, p: usize, t: usize) -> Option<usize> {
        let before = self.captures.clone();
        let found = self.run(p, t);
        if found.is_none() {
            self.captures = before;
        }
        found
    }

    fn open(&mut self, p: usize, t: usize) -> Option<usize> {
        // `()` captures a place: it has no text, so it is closed where it opens.
        self.captures.push(Capture { start: t, end: None });
        let found = self.run(p, t);
        if found.is_none() {
            self.captures.pop();
        }
        found
    }

    fn close(&mut self, p: usize, t: usize) -> Option<usize> {
        let at = self.captures.iter().rposition(|capture| capture.end.is_none())?;
        self.captures.get_mut(at)?.end = Some(t);
        let found = self.run(p, t);
        if found.is_none() {
            self.captures.get_mut(at)?.end = None;
        }
        found
    }

    fn balanced(&self, open: u8, close: u8, t: usize) -> Option<usize> {
        if self.text.get(t) != Some(&open) {
            return None;
        }
        let mut depth = 1;
        for (at, byte) in self.text.iter().enumerate().skip(t + 1) {
            if *byte == close {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            } else if *byte == open {
                depth += 1;
            }
        }
        None
    }

    /// Where the single-byte item at `p` ends.
    fn item_end(&self, p: usize) -> Option<usize> {
        match self.pattern.get(p)? {
            b'%' => self.pattern.get(p + 1).map(|_| p + 2),
            b'[' => {
                let mut at = p + 1;
                if self.pattern.get(at) == Some(&b'^') {
                    at += 1;
                }
                loop {
                    // A `]` in the first place stands for itself.
                    let byte = *self.pattern.get(at)?;
                    at += 1;
                    if byte == b'%' {
                        at += 1;
                    }
                    if self.pattern.get(at)? == &b']' {
                        return Some(at + 1);
                    }
                }
            }
            _ => Some(p + 1),
        }
    }

    fn is_item(&self, p: usize, end: usize, t: usize) -> bool {
        let Some(byte) = self.text.get(t).copied() else { return false };
        match self.pattern.get(p..end) {
            Some([b'.']) => true,
            Some([b'%', class]) => is_class(byte, *class),
            Some([b'[', ..]) => self.in_set(byte, p, end),
            Some([literal]) => *literal == byte,
            _ => false,
        }
    }

    fn in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let mut set = self.pattern.get(p + 1..end.saturating_sub(1)).unwrap_or_default();
        let is_negated = set.first() == Some(&b'^');
        if is_negated {
            set = set.get(1..).unwrap_or_default();
        }
        let mut is_in = false;
        while let [first, rest @ ..] = set {
            set = match (first, rest) {
                (b'%', [class, rest @ ..]) => {
                    is_in |= is_class(byte, *class);
                    rest
                }
                (first, [b'-', last, rest @ ..]) => {
                    is_in |= (*first..=*last).contains(&byte);
                    rest
                }
                (first, rest) => {
                    is_in |= *first == byte;
                    rest
                }
            };
        }
        is_in != is_negated
    }
}

fn is_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == class,
    };
    is_in != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::matches;

    #[test]
    fn patterns_match_as_lua_matches_them() {
        for (pattern, text, is_match) in [
            ("^[a-z][a-z%d-]-[a-z%d]+$", "my-vault1", true),
            ("^[a-z][a-z%d-]-[a-z%d]+$", "my-", false),
            ("^[a-z][a-z%d-]-[a-z%d]+$", "Bad_Prefix", false),
            ("^%u+$", "GET", true),
            ("^%u+$", "X-Y", false),
            ("//", "/a//b", true),
            ("^[Hh][Oo][Ss][Tt]$", "hoSt", true),
            ("^[Hh][Oo][Ss][Tt]$", "hosts", false),
            ("^[^:]+:.*$", "x:y", true),
            ("^[^:]+:.*$", "x", false),
            ("a?b", "b", true),
            ("^a*$", "", true),
            ("^a+$", "", false),
            ("^%w+$", "a_b", false),
            ("[]]", "]", true),
            ("[^]]", "]", false),
            ("[a-]", "-", true),
            ("%bxy", "axaybyb", true),
            ("^%b()$", "(a(b)c)", true),
            ("^%b()$", "(a(b)c", false),
            ("(.)%1", "abba", true),
            ("(.)%1", "abab", false),
            ("%f[%w]cat%f[%W]", "a cat.", true),
            ("%f[%w]cat%f[%W]", "a cats", false),
            ("^.-$", "anything", true),
            ("%%", "100%", true),
            ("$", "", true),
            ("a$b", "a$b", true),
            ("[", "[", false),
            ("%", "%", false),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} on {text}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_and_text_make_it_panic(pattern in r"[\]\[%^$().*+a-dfb0-2?-]{0,12}", text in "[a-d().-]{0,12}") {
            let _ = matches(&pattern, &text);
        }

        #[test]
        fn a_text_without_magic_matches_itself(text in "[a-z0-9_ /:]{0,20}") {
            let longer = format!("x{text}y");
            prop_assert!(matches(&text, &longer));
        }
    }
}
