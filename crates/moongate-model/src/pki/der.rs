//! The few DER structures of keys, read element by element.

use x509_parser::asn1_rs::{Any, Class, FromDer};

/// What is left of a DER structure's content.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of the content of the one sequence that `der` is. Bytes after the sequence are ignored, as they may be
    /// the padding of old tools.
    pub(super) fn sequence_in(der: &'a [u8]) -> Option<Self> {
        Self(der).sequence()
    }

    /// A reader of `der` itself.
    pub(super) const fn whole(der: &'a [u8]) -> Self {
        Self(der)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.universal(16).map(Reader)
    }

    /// The bytes of a non-negative integer, without leading zeroes.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        let bytes = self.universal(2)?;
        match bytes {
            [] => None,
            [first, ..] if first & 0x80 != 0 => None,
            _ => {
                let zeroes = bytes.iter().take_while(|&&b| b == 0).count();
                bytes.get(zeroes..)
            }
        }
    }

    pub(super) fn octets(&mut self) -> Option<&'a [u8]> {
        self.universal(4)
    }

    /// The bytes of an object identifier, encoded.
    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        self.universal(6)
    }

    /// The bytes of a bit string of whole bytes.
    pub(super) fn bits(&mut self) -> Option<&'a [u8]> {
        match self.universal(3)? {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }

    /// The content of the first of the remaining elements which has the context tag `number`; elements before it are skipped.
    pub(super) fn context(&mut self, number: u32) -> Option<Self> {
        while let Some(element) = self.element() {
            if element.class() == Class::ContextSpecific && element.tag().0 == number {
                return Some(Reader(element.data));
            }
        }
        None
    }

    fn universal(&mut self, tag: u32) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let element = ahead.element()?;
        if element.class() != Class::Universal || element.tag().0 != tag {
            return None;
        }
        *self = ahead;
        Some(element.data)
    }

    fn element(&mut self) -> Option<Any<'a>> {
        let (rest, element) = Any::from_der(self.0).ok()?;
        self.0 = rest;
        Some(element)
    }
}
