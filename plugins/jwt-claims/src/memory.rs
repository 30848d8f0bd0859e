//! Remembers good tokens.
//!
//! Clients show the same token with request after request. What it says does not change, and a good signature stays
//! good for as long as the configuration is the same; only the time has to be looked at again.

use std::rc::Rc;

use crate::claims::Claims;

/// A few good tokens and what they say. Each has one place, by its last bytes, which are those of its signature; a
/// token that comes to the same place takes it.
pub(crate) struct Memory {
    places: Vec<Option<Known>>,
}

struct Known {
    token: Box<[u8]>,
    claims: Rc<Claims>,
}

impl Memory {
    pub(crate) fn new(places: u16) -> Self {
        Self { places: (0..places).map(|_| None).collect() }
    }

    /// What a token says that was good before, to the byte.
    pub(crate) fn recall(&self, token: &[u8]) -> Option<Rc<Claims>> {
        let known = self.places.get(self.place(token)?)?.as_ref()?;
        is_same(&known.token, token).then(|| Rc::clone(&known.claims))
    }

    pub(crate) fn keep(&mut self, token: &[u8], claims: &Rc<Claims>) {
        if token.len() > LONGEST {
            return;
        }
        let place = self.place(token).and_then(|place| self.places.get_mut(place));
        if let Some(place) = place {
            *place = Some(Known { token: token.into(), claims: Rc::clone(claims) });
        }
    }

    fn place(&self, token: &[u8]) -> Option<usize> {
        let (_, last) = token.split_last_chunk::<8>()?;
        // The highest bits of the product depend on all bytes.
        let mixed = u64::from_le_bytes(*last).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from((mixed * self.places.len() as u64) >> 32).ok()
    }
}

/// Whether two texts are the same. `==` goes byte by byte in a guest, and takes longer than all else here.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    one.len() == other.len()
        && words
            .iter()
            .zip(other_words)
            .all(|(one, other)| u64::from_le_bytes(*one) == u64::from_le_bytes(*other))
        && rest == other_rest
}

/// Bytes of a token that is remembered; what it says is shorter than itself. Bounds the memory of an instance.
const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn says(sub: &str) -> Rc<Claims> {
        let payload = format!(r#"{{"sub":"{sub}"}}"#);
        Rc::new(Claims::parse(payload.as_bytes(), &["sub".to_owned()]).unwrap())
    }

    #[test]
    fn only_the_very_same_token_is_known() {
        let mut memory = Memory::new(4);
        memory.keep(b"payload.signature", &says("a"));
        assert_eq!(memory.recall(b"payload.signature"), Some(says("a")));
        // The end, and with it the place, is the same.
        assert_eq!(memory.recall(b"Payload.signature"), None);
        assert_eq!(memory.recall(b"a.payload.signature"), None);
        assert_eq!(memory.recall(b"short"), None);
    }

    #[test]
    fn memory_stays_small() {
        let mut memory = Memory::new(4);
        let tokens: Vec<String> = (0..1000).map(|number| format!("payload.signature-{number:08}")).collect();
        for token in &tokens {
            memory.keep(token.as_bytes(), &says(token));
        }
        let known = tokens.iter().filter(|token| memory.recall(token.as_bytes()).is_some()).count();
        assert_eq!(known, 4);
        let long = [b'a'; LONGEST + 1];
        memory.keep(&long, &says("long"));
        assert_eq!(memory.recall(&long), None);
    }

    #[test]
    fn without_places_nothing_is_remembered() {
        let mut memory = Memory::new(0);
        memory.keep(b"payload.signature", &says("a"));
        assert_eq!(memory.recall(b"payload.signature"), None);
    }
}
