//! SS58: public keys as text with a checksum.

use blake2::{Blake2b512, Digest};

/// The network prefix that Bittensor uses, the generic Substrate one.
pub const PREFIX: u8 = 42;

/// The text is no SS58 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A character outside base58.
    #[error("Invalid SS58 address: Base 58 requirement is violated")]
    Alphabet,
    /// Not the length of a prefix, a key of 32 bytes and a checksum.
    #[error("Invalid SS58 address: Length is bad")]
    Length,
    /// Mistyped: the checksum is another.
    #[error("Invalid SS58 address: Invalid checksum")]
    Checksum,
}

/// Writes a public key with [`PREFIX`].
#[must_use]
pub fn encode(public: &[u8; 32]) -> String {
    let mut bytes = vec![PREFIX];
    bytes.extend_from_slice(public);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bs58::encode(bytes).into_string()
}

/// Reads the public key out of an address of any network: the SDK accepts them all and treats
/// each spelling as a caller of its own.
///
/// # Errors
/// [`AddressError`] when the text is no address.
pub fn decode(address: &str) -> Result<[u8; 32], AddressError> {
    // The longest address has 36 bytes; base58 takes quadratic time, so refuse before decoding.
    if address.len() > 50 {
        return Err(AddressError::Length);
    }
    let bytes = bs58::decode(address).into_vec().map_err(|_| AddressError::Alphabet)?;
    let (payload, sum) = bytes.split_last_chunk::<2>().ok_or(AddressError::Length)?;
    let (prefix, public) = payload.split_last_chunk::<32>().ok_or(AddressError::Length)?;
    match prefix {
        [0..=63] | [64..=127, _] => {}
        _ => return Err(AddressError::Length),
    }
    if checksum(payload) == *sum { Ok(*public) } else { Err(AddressError::Checksum) }
}

fn checksum(payload: &[u8]) -> [u8; 2] {
    let mut hasher = Blake2b512::new();
    hasher.update(b"SS58PRE");
    hasher.update(payload);
    let hash = hasher.finalize();
    [hash[0], hash[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn reads_an_address_and_writes_it_back() {
        assert_eq!(encode(&decode(ALICE).unwrap()), ALICE);
    }

    #[test]
    fn reads_the_same_key_from_another_networks_address() {
        let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
        assert_eq!(decode(polkadot), decode(ALICE));
    }

    #[test]
    fn refuses_what_is_no_address() {
        let mistyped = ALICE.replace("QY", "QZ");
        assert_eq!(decode(&mistyped), Err(AddressError::Checksum));
        assert_eq!(decode(""), Err(AddressError::Length));
        assert_eq!(decode("5Grw"), Err(AddressError::Length));
        assert_eq!(decode(&"1".repeat(4000)), Err(AddressError::Length));
        assert_eq!(decode("0OIl"), Err(AddressError::Alphabet));
    }
}
