//! What a write needs from outside: the time and randomness.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

/// The kind of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object is made.
    Insert,
    /// Fields of an existing object are changed.
    Update,
    /// An object is made, or replaces the one with its key.
    Upsert,
}

/// A source of random bytes.
pub trait Randomness: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness, fit for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(14) {
            // Two bytes of a random UUID hold its version and variant; the other fourteen are random.
            let uuid = Uuid::new_v4();
            let random = uuid.as_bytes().iter().enumerate().filter(|(at, _)| *at != 6 && *at != 8);
            for (byte, (_, random)) in chunk.iter_mut().zip(random) {
                *byte = *random;
            }
        }
    }
}

/// The same bytes for the same seed, for tests. Not fit for secrets.
#[derive(Debug)]
pub struct SeededRandomness(AtomicU64);

impl SeededRandomness {
    /// A source whose bytes follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            let mut word = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            for (byte, random) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *byte = random;
            }
        }
    }
}

/// The time of a write and where its random values come from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    now_ms: u64,
    randomness: &'a dyn Randomness,
}

impl<'a> Context<'a> {
    /// A write at `now_ms`, milliseconds since the epoch of Unix.
    pub fn new(now_ms: u64, randomness: &'a dyn Randomness) -> Self {
        Self { now_ms, randomness }
    }

    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Whole seconds since the epoch.
    pub fn now(&self) -> u64 {
        self.now_ms / 1000
    }

    /// A random UUID of version 4.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.randomness.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// 32 random letters and digits, as generated keys and secrets are.
    pub fn random_string(&self) -> String {
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = String::with_capacity(32);
        while text.len() < 32 {
            let mut bytes = [0; 32];
            self.randomness.fill(&mut bytes);
            // Bytes from 248 on would make the first letters likelier.
            let letters = bytes.iter().filter(|byte| **byte < 248);
            let letters = letters.filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
            text.extend(letters.map(|letter| char::from(*letter)).take(32 - text.len()));
        }
        text
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_strings_are_32_letters_and_digits_and_differ() {
        let seeded = SeededRandomness::new(7);
        for randomness in [&seeded as &dyn Randomness, &SystemRandomness] {
            let context = Context::new(0, randomness);
            let (one, two) = (context.random_string(), context.random_string());
            assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{one}");
            assert_ne!(one, two);
            assert_eq!(context.uuid().get_version_num(), 4);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let (one, two) = (SeededRandomness::new(1), SeededRandomness::new(1));
        assert_eq!(Context::new(0, &one).uuid(), Context::new(0, &two).uuid());
    }
}
