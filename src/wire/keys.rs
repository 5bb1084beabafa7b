//! sr25519 keys: signing as Substrate does it, and checking others' signatures.
//!
//! Keys come from a development URI, a 32-byte seed or a 64-byte secret; wallets on disk, and the
//! mnemonics in them, are read by [`crate::wallet`].

use std::fmt;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use schnorrkel::derive::{ChainCode, Derivation};
use schnorrkel::{ExpansionMode, MiniSecretKey, PublicKey, SecretKey, Signature};
use sn1_actors::domain::Hotkey;
use zeroize::Zeroizing;

use super::ss58;

const CONTEXT: &[u8] = b"substrate";

/// The seed of Substrate's published development phrase "bottom drive obey lake curtain smoke
/// basket hold race lonely fit walk". Worth nothing, and known to everybody.
const DEV_SEED: [u8; 32] = [
    0xfa, 0xc7, 0x95, 0x9d, 0xbf, 0xe7, 0x2f, 0x05, 0x2e, 0x5a, 0x0c, 0x3c, 0x8d, 0x65, 0x30, 0xf2,
    0x02, 0xb0, 0x2f, 0xd8, 0xf9, 0xf5, 0xca, 0x35, 0x80, 0xec, 0x8d, 0xeb, 0x77, 0x97, 0x47, 0x9e,
];

/// Why a text makes no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The development URI is malformed.
    #[error("`{0}` is no development key: write a path such as //Alice or //miner/7")]
    Uri(String),
    /// The key library refused the seed, or the address it makes.
    #[error("the seed makes no sr25519 key: give 32 random bytes")]
    Seed,
    /// The 64 bytes are no secret.
    #[error("the 64 bytes are no sr25519 secret in schnorrkel's form")]
    Secret,
}

/// A key that signs. Its secret is never shown and is wiped when dropped.
pub struct Keypair {
    pair: schnorrkel::Keypair,
    hotkey: Hotkey,
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair").field("hotkey", &self.hotkey).finish_non_exhaustive()
    }
}

impl Keypair {
    /// The development key of a path: `//Alice`, `//miner/7`. Two slashes derive hard, one soft.
    ///
    /// # Errors
    /// [`KeyError::Uri`] when the text is no such path.
    pub fn from_dev_uri(uri: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::Uri(uri.chars().take(64).collect());
        let junctions = parse_junctions(uri).ok_or_else(wrong)?;
        let mut secret = expand(&DEV_SEED)?;
        for Junction { hard, code } in junctions {
            secret = if hard {
                let (mini, _) = secret.hard_derive_mini_secret_key(Some(ChainCode(code)), b"");
                mini.expand(ExpansionMode::Ed25519)
            } else {
                secret.derived_key_simple(ChainCode(code), b"").0
            };
        }
        Self::from_secret(secret)
    }

    /// The key of a 32-byte seed (`secretSeed` in a wallet's key file).
    ///
    /// # Errors
    /// [`KeyError::Seed`] when no key can be made of it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_secret(expand(seed)?)
    }

    /// The key of a secret in schnorrkel's canonical form, scalar and nonce (`privateKey` in a
    /// wallet's key file).
    ///
    /// # Errors
    /// [`KeyError::Secret`] when the scalar is none, or 0, whose signatures anybody can make.
    pub fn from_secret_bytes(secret: &[u8; 64]) -> Result<Self, KeyError> {
        if secret.iter().take(32).all(|byte| *byte == 0) {
            return Err(KeyError::Secret);
        }
        Self::from_secret(SecretKey::from_bytes(secret).map_err(|_| KeyError::Secret)?)
    }

    fn from_secret(secret: SecretKey) -> Result<Self, KeyError> {
        let pair = secret.to_keypair();
        let address = ss58::encode(&pair.public.to_bytes());
        let hotkey = Hotkey::parse(&address).map_err(|_| KeyError::Seed)?;
        Ok(Self { pair, hotkey })
    }

    /// Who signs.
    #[must_use]
    pub fn hotkey(&self) -> Hotkey {
        self.hotkey.clone()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.pair.public.to_bytes()
    }

    /// The secret in the form of [`Self::from_secret_bytes`], to be written to a wallet.
    #[must_use]
    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.pair.secret.to_bytes())
    }

    /// Signs a text: 64 bytes, other ones each time.
    #[must_use]
    pub fn sign(&self, text: &str) -> [u8; 64] {
        self.sign_bytes(text.as_bytes())
    }

    /// Signs bytes, as a transaction's are.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.pair.sign_simple(CONTEXT, bytes).to_bytes()
    }

    /// Signs a text, in the notation of the wire: `0x` and 128 hex digits.
    #[must_use]
    pub fn sign_hex(&self, text: &str) -> String {
        format!("0x{}", hex::encode(self.sign(text)))
    }
}

/// Whether `signature` over `text`, or over the text in `<Bytes>` tags as browser wallets sign,
/// is of the key `public`.
#[must_use]
pub fn verify(public: &[u8; 32], text: &str, signature: &[u8; 64]) -> bool {
    let (Ok(public), Ok(signature)) =
        (PublicKey::from_bytes(public), Signature::from_bytes(signature))
    else {
        return false;
    };
    let signed = |text: &str| public.verify_simple(CONTEXT, text.as_bytes(), &signature).is_ok();
    signed(text) || signed(&format!("<Bytes>{text}</Bytes>"))
}

fn expand(seed: &[u8; 32]) -> Result<SecretKey, KeyError> {
    let mini = MiniSecretKey::from_bytes(seed).map_err(|_| KeyError::Seed)?;
    Ok(mini.expand(ExpansionMode::Ed25519))
}

/// One step of a derivation path.
struct Junction {
    hard: bool,
    code: [u8; 32],
}

fn parse_junctions(uri: &str) -> Option<Vec<Junction>> {
    if uri.len() > 256 || !uri.starts_with('/') {
        return None;
    }
    let mut junctions = Vec::new();
    let mut rest = uri;
    while !rest.is_empty() {
        let step = rest.strip_prefix('/')?;
        let (hard, step) = step.strip_prefix('/').map_or((false, step), |step| (true, step));
        let (name, tail) = step.split_at(step.find('/').unwrap_or(step.len()));
        if name.is_empty() {
            return None;
        }
        junctions.push(Junction { hard, code: chain_code(name) });
        rest = tail;
    }
    Some(junctions)
}

/// A junction's chain code: the SCALE encoding of its number or name, hashed if it is too long.
fn chain_code(name: &str) -> [u8; 32] {
    let encoded = match name.parse::<u64>() {
        Ok(number) => number.to_le_bytes().to_vec(),
        Err(_) => scale_str(name),
    };
    let mut code = [0; 32];
    match code.get_mut(..encoded.len()) {
        Some(start) => start.copy_from_slice(&encoded),
        None => code.copy_from_slice(&Blake2b::<U32>::digest(&encoded)),
    }
    code
}

fn scale_str(text: &str) -> Vec<u8> {
    // Paths are at most 256 bytes, so SCALE's one-byte and two-byte lengths suffice.
    let length = text.len();
    let mut encoded = if length < 64 {
        vec![(length << 2) as u8]
    } else {
        ((length << 2 | 1) as u16).to_le_bytes().to_vec()
    };
    encoded.extend_from_slice(text.as_bytes());
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &str) -> String {
        Keypair::from_dev_uri(uri).unwrap().hotkey().to_string()
    }

    #[test]
    fn derives_the_well_known_development_keys() {
        assert_eq!(address("//Alice"), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
        assert_eq!(address("//Bob"), "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty");
        assert_eq!(address("//Alice//stash"), "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY");
    }

    #[test]
    fn derives_soft_numbered_and_long_junctions_as_the_python_wallet_does() {
        for (uri, expected) in DERIVED {
            assert_eq!(address(uri), *expected, "{uri}");
        }
    }

    /// From `Keypair.create_from_uri` of bittensor-wallet 4.1.1.
    const DERIVED: &[(&str, &str)] = &[
        ("//Alice/soft", "5C8PhJPLE54x23RjmqBcEEnALryCDWdTJM5xLaoL9W8XEpnt"),
        ("/soft", "5F4g82upwXKNJWdotdSwkALpdNRNnuNBLQeZ6YUYBoSK3rcj"),
        ("/1//2", "5C4pqSv6hx3Gkt2bYQnbDFEjetim4JN3tctyGRg3DAuF8jFn"),
        ("//miner/7", "5DJFfN3jxJxwK9iJdxjYUvUiBDMxyhC4Z8HGbq6QzWLtKuTe"),
        ("//any/path//mixed", "5CSo27n7uJ7o6fitLSbM3Uy3VGCtEvVvqpdDfdgau9Nc1aJ2"),
        (
            "//long-name-long-name-long-name-long-name-long-name-",
            "5GLQJojvjA9qNLAP9XrrpfqCD8b5xZnoXevT2C65F3o82hrX",
        ),
        (
            "//long-name-long-name-long-name-long-name-long-name-long-name-long-name-long-name-",
            "5F6YxVDFYe9XyBp8wx2GqFVaHRqeSRqVXKtDX1dpxGFwX7cH",
        ),
        ("//18446744073709551615", "5FnmmEqtcYdJa7ikbQXggS685DpNeE9j7ob6oBYMyD9kQLxz"),
        ("//18446744073709551616", "5EpxyqTWXnWapSa55fXrq8JtqD41YREqn7qJobZ69D7833f8"),
        ("//é", "5EsaQAJQh19PWKMtYN2YrWYTRKsUmHicgAyBMiAFuRwFA4zf"),
    ];

    #[test]
    fn refuses_what_is_no_path() {
        for uri in ["", "Alice", "//", "//Alice/", "///x", "//Alice////x", &"/x".repeat(200)] {
            assert!(matches!(Keypair::from_dev_uri(uri), Err(KeyError::Uri(_))), "{uri}");
        }
    }

    #[test]
    fn takes_a_secret_apart_and_together_again_and_no_forged_one() {
        let alice = Keypair::from_dev_uri("//Alice").unwrap();
        let again = Keypair::from_secret_bytes(&alice.secret_bytes()).unwrap();
        assert_eq!(again.public(), alice.public());
        for forged in [[0; 64], [0xff; 64]] {
            assert_eq!(Keypair::from_secret_bytes(&forged).unwrap_err(), KeyError::Secret);
        }
    }

    #[test]
    fn verifies_its_own_signatures_and_no_others() {
        let alice = Keypair::from_dev_uri("//Alice").unwrap();
        let bob = Keypair::from_dev_uri("//Bob").unwrap();
        let signature = alice.sign("text");
        assert!(verify(&alice.public(), "text", &signature));
        assert!(!verify(&alice.public(), "other text", &signature));
        assert!(!verify(&bob.public(), "text", &signature));
        assert!(!verify(&alice.public(), "text", &[0; 64]));
        assert!(!verify(&[0xff; 32], "text", &signature));
    }

    #[test]
    fn verifies_a_signature_over_the_text_in_bytes_tags() {
        let alice = Keypair::from_dev_uri("//Alice").unwrap();
        assert!(verify(&alice.public(), "text", &alice.sign("<Bytes>text</Bytes>")));
    }

    #[test]
    fn shows_the_hotkey_and_nothing_of_the_secret() {
        let pair = Keypair::from_seed(&[7; 32]).unwrap();
        let shown = format!("{pair:?}");
        assert_eq!(shown, format!("Keypair {{ hotkey: {:?}, .. }}", pair.hotkey()));
    }
}
