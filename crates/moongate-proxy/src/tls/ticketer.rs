//! Session tickets: sessions that the clients keep, encrypted with keys that only the gateway has.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use rustls::Error;
use rustls::server::ProducesTickets;
use rustls::ticketer::TicketRotator;

/// Makes and reads tickets that are valid for up to `lifetime`. Their keys are never written down and change twice within
/// it, so that what is recorded cannot be read later.
pub(super) fn ticketer(lifetime: Duration) -> Result<Arc<dyn ProducesTickets>, Error> {
    let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX).max(2);
    let rotator = TicketRotator::new(seconds / 2, || {
        let key = TicketKey::new().ok_or(rustls::crypto::GetRandomFailed)?;
        Ok(Box::new(key) as Box<dyn ProducesTickets>)
    })?;
    Ok(Arc::new(rotator))
}

/// One key, which seals each ticket with a nonce of its own in front.
#[derive(Debug)]
struct TicketKey(RandomizedNonceKey);

impl TicketKey {
    fn new() -> Option<Self> {
        let mut key = [0; 32];
        rand::fill(&mut key).ok()?;
        Some(Self(RandomizedNonceKey::new(&AES_256_GCM, &key).ok()?))
    }
}

impl ProducesTickets for TicketKey {
    fn enabled(&self) -> bool {
        true
    }

    /// The rotator around it knows.
    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::empty(), &mut sealed).ok()?;
        let mut ticket = nonce.as_ref().to_vec();
        ticket.append(&mut sealed);
        Some(ticket)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = cipher.split_first_chunk::<NONCE_LEN>()?;
        let mut plain = sealed.to_vec();
        let length =
            self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_by_the_key_that_made_it_alone() {
        let (one, other) = (TicketKey::new().unwrap(), TicketKey::new().unwrap());
        let ticket = one.encrypt(b"session").unwrap();
        assert_eq!(one.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        assert_eq!(other.decrypt(&ticket), None);
        let mut forged = ticket.clone();
        forged[NONCE_LEN] ^= 1;
        assert_eq!(one.decrypt(&forged), None);
        assert_eq!(one.decrypt(&ticket[..NONCE_LEN + 3]), None);
        assert_ne!(one.encrypt(b"session").unwrap(), ticket);
    }
}
