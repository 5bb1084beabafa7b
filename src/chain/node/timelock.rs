//! Weights encrypted until a round of drand (commit-reveal v4): the chain decrypts them itself once
//! the round's signature is on chain, and nobody can before, not even who encrypted them.
//!
//! [`encrypt`] makes the bytes of `SubtensorModule.commit_timelocked_weights` and its mechanism form
//! (chain.md §2); [`reveal_round`] says for which round. Sending them is the writes' task, and
//! decrypting is the chain's: here only the tests do.
//!
//! The scheme is identity-based encryption to drand's quicknet of a fresh key, and AES-256-GCM of the
//! payload under that key. The crate `timelock` does all of the cryptography, but its release 0.3.0
//! does not write what the chain reads: the chain's pallet and the Python package `bittensor-drand`
//! are built on revision 5416406c of its repository, in which two fields of the header are lists,
//! with a length in front, and not arrays. So the release encrypts and the bytes are written here.

mod round;

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, SerializationError};
use rand_core::OsRng;
use sha2::{Digest, Sha256};
use subxt::ext::codec::Encode;
use timelock::block_ciphers::{AESGCMBlockCipherProvider, AESOutput, BlockCipherProvider};
use timelock::engines::EngineBLS;
use timelock::engines::drand::TinyBLS381;
use timelock::ibe::fullident::{Ciphertext, Identity, Input};
use zeroize::Zeroizing;

pub use round::{Head, reveal_round};

/// What the chain takes at most, in bytes (`MAX_CRV3_COMMIT_SIZE_BYTES` of the pallet).
pub const MOST_BYTES: usize = 5_000;

/// The public key of drand's quicknet, a compressed point of G2
/// (chain hash `52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971`).
const QUICKNET_KEY: [u8; 96] = [
    0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22,
    0x12, 0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c,
    0x8c, 0x4b, 0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51,
    0x0d, 0x1f, 0xec, 0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb,
    0x5e, 0xd6, 0x63, 0x04, 0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5,
    0xa6, 0xe9, 0xc7, 0x6a, 0x4b, 0xc0, 0x9e, 0x76, 0xea, 0xe8, 0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
];

/// What is hidden: one weight setting, and whose it is, so that nobody can commit a copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelockPayload {
    /// The public key of the hotkey that signs the commit; the chain drops the commits of others.
    pub hotkey: [u8; 32],
    /// Whom the weights are for.
    pub uids: Vec<u16>,
    /// Their weights, parallel to `uids`.
    pub values: Vec<u16>,
    /// The version key of the program that made them.
    pub version_key: u64,
}

impl TimelockPayload {
    /// SCALE, in the order of the pallet's `WeightsTlockPayload`, whose hotkey is a list of bytes.
    fn encoded(&self) -> Vec<u8> {
        (self.hotkey.as_slice(), &self.uids, &self.values, self.version_key).encode()
    }
}

/// Why there is no commit, or no round for it.
#[derive(Debug, thiserror::Error)]
pub enum TimelockError {
    /// More weights than fit.
    #[error("the encrypted weights take {0} bytes, and the chain takes {MOST_BYTES} at most")]
    TooLong(usize),
    /// The operating system gives no random bytes: nothing can be hidden.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The cipher or the writing of its output failed, which no input is known to cause.
    #[error("the weights cannot be encrypted: {0}")]
    Cipher(String),
    /// The subnet's tempo is 0: it has no epochs, and nothing is ever revealed.
    #[error("the subnet's tempo is 0: it has no epochs, and weights would never be revealed")]
    NoEpochs,
    /// By what the node says the epoch in question is further off than the chain's rules allow.
    #[error("the weights would be revealed at block {reveal}, absurdly far from block {block}")]
    TooFar {
        /// The newest block.
        block: u64,
        /// Where they would be revealed.
        reveal: u64,
    },
}

impl From<SerializationError> for TimelockError {
    fn from(error: SerializationError) -> Self {
        Self::Cipher(error.to_string())
    }
}

/// Encrypts a weight setting so that the signature of drand quicknet's round `reveal_round`, and
/// nothing else, decrypts it. Two calls never give the same bytes: the keys are random, from the
/// operating system. Takes some milliseconds of CPU time.
///
/// # Errors
/// [`TimelockError::TooLong`] for more weights than fit, which are 1,177; [`TimelockError::Random`].
pub fn encrypt(payload: &TimelockPayload, reveal_round: u64) -> Result<Vec<u8>, TimelockError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(TimelockError::Random)?;
    let cipher = |error: &dyn std::fmt::Debug| TimelockError::Cipher(format!("{error:?}"));

    let quicknet =
        <TinyBLS381 as EngineBLS>::PublicKeyGroup::deserialize_compressed(&QUICKNET_KEY[..])?;
    let round = Identity::new(b"", &Sha256::digest(reveal_round.to_be_bytes()));
    let input = Input::<TinyBLS381>::new(*key).map_err(|error| cipher(&error))?;
    let header = round.encrypt(&input, quicknet, OsRng);
    let body = AESGCMBlockCipherProvider::encrypt(&payload.encoded(), *key, OsRng)
        .map_err(|error| cipher(&error))?;

    let bytes = written(&header, &body)?;
    if bytes.len() > MOST_BYTES {
        return Err(TimelockError::TooLong(bytes.len()));
    }
    Ok(bytes)
}

/// The ciphertext as revision 5416406c writes it; every list has its length in front, as a u64.
fn written(header: &Ciphertext<TinyBLS381>, body: &AESOutput) -> Result<Vec<u8>, TimelockError> {
    let mut inner = Vec::new();
    body.serialize_compressed(&mut inner)?;
    let mut bytes = Vec::new();
    header.u.serialize_compressed(&mut bytes)?;
    for list in
        [header.v.as_slice(), header.w.as_slice(), &inner, AESGCMBlockCipherProvider::CIPHER_SUITE]
    {
        list.serialize_compressed(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
