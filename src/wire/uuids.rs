//! Identifiers for requests and for errors that are reported without their cause.

use parking_lot::Mutex;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Makes UUIDs of version 4. They need to be unique, not secret.
#[derive(Debug)]
pub struct UuidSource(Mutex<ChaCha20Rng>);

impl UuidSource {
    /// The same identifiers for the same seed: for tests and local networks. Two processes that
    /// share a key must not share a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Mutex::new(ChaCha20Rng::from_seed(seed)))
    }

    /// Identifiers that no other process makes, seeded by the operating system.
    #[must_use]
    pub fn from_entropy() -> Self {
        // The key library draws 32 bytes from the operating system; we have no other such source.
        Self::from_seed(schnorrkel::MiniSecretKey::generate().to_bytes())
    }

    /// The next one, as text.
    #[must_use]
    pub fn next(&self) -> String {
        let mut bytes = [0; 16];
        self.0.lock().fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(bytes);
        let (a, rest) = digits.split_at(8);
        let (b, rest) = rest.split_at(4);
        let (c, rest) = rest.split_at(4);
        let (d, e) = rest.split_at(4);
        format!("{a}-{b}-{c}-{d}-{e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_uuids_of_version_4_that_differ() {
        let source = UuidSource::from_entropy();
        let (one, two) = (source.next(), source.next());
        assert_ne!(one, two);
        assert_eq!((one.len(), &one[14..15]), (36, "4"));
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"), "{one}");
    }

    #[test]
    fn repeats_itself_for_the_same_seed() {
        assert_eq!(UuidSource::from_seed([1; 32]).next(), UuidSource::from_seed([1; 32]).next());
    }
}
