//! A transaction's bytes, read by a runtime's metadata, and the checks of a node's pool.

use std::collections::BTreeMap;

use frame_decode::extrinsics::decode_extrinsic;
use parity_scale_codec::{Compact, Decode, Encode};
use subxt::utils::Era;

use super::execution::blake2_256;
use super::layout::SUBTENSOR;
use super::metadata::Runtime;
use super::subnet::Account;

/// A call's arguments, encoded, by name.
pub(super) struct Arguments(pub(super) BTreeMap<String, Vec<u8>>);

/// A transaction that could be decoded.
pub(super) struct Signed {
    pub(super) signer: Account,
    pub(super) nonce: u32,
    pub(super) call: String,
    pub(super) arguments: Arguments,
    era: Era,
    signature: Vec<u8>,
    /// What was signed, but for what is signed and not sent.
    payload: Vec<u8>,
}

/// What a transaction is checked against.
pub(super) struct Against<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) genesis: [u8; 32],
    /// The block that it would be in.
    pub(super) block: u32,
    /// The account's next nonce.
    pub(super) nonce: u32,
    /// The hash of a block before that one.
    pub(super) hash_of: &'a dyn Fn(u32) -> Option<[u8; 32]>,
}

/// Why a pool does not take a transaction, in the words of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    BadProof,
    Stale,
    AncientBirthBlock,
    /// Its nonce is too large: it waits.
    Future,
}

impl Invalid {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::BadProof => "Transaction has a bad signature",
            Self::Stale => "Transaction is outdated",
            Self::AncientBirthBlock => "Transaction has an ancient birth block",
            Self::Future => "Transaction will be valid in the future",
        }
    }
}

impl Signed {
    /// Reads a transaction; none where the runtime has no such call, or the bytes are no
    /// transaction that is signed.
    pub(super) fn read(bytes: &[u8], runtime: &Runtime) -> Option<Self> {
        let metadata = &runtime.metadata;
        let extrinsic = decode_extrinsic(&mut &*bytes, metadata, &metadata.types).ok()?;
        if extrinsic.pallet_name() != SUBTENSOR {
            return None;
        }
        let envelope = extrinsic.signature_payload()?;
        let extensions = extrinsic.transaction_extension_payload()?;
        let extension = |name: &str| {
            let found = extensions.iter().find(|extension| extension.name() == name)?;
            bytes.get(found.range())
        };
        let address = bytes.get(envelope.address_range())?;
        let nonce = Compact::<u32>::decode(&mut extension("CheckNonce")?).ok()?.0;
        let era = Era::decode(&mut extension("CheckMortality")?).ok()?;
        let mut payload = bytes.get(extrinsic.call_data_range())?.to_vec();
        payload.extend(bytes.get(extensions.range())?);
        let arguments = extrinsic
            .call_data()
            .map(|argument| (argument.name().to_owned(), bytes[argument.range()].to_vec()));
        Some(Self {
            // The first byte of each says which kind it is; there is one that is used.
            signer: address.get(1..)?.try_into().ok()?,
            signature: bytes.get(envelope.signature_range())?.get(1..)?.to_vec(),
            nonce,
            call: extrinsic.call_name().to_owned(),
            arguments: Arguments(arguments.collect()),
            era,
            payload,
        })
    }

    /// Checks what a node checks before a transaction may be in a block.
    pub(super) fn check(&self, against: &Against<'_>) -> Result<(), Invalid> {
        let birth_hash = match self.era {
            Era::Immortal => against.genesis,
            Era::Mortal { period, phase } => {
                let block = u64::from(against.block);
                let birth = (block.max(phase) - phase) / period * period + phase;
                let birth = u32::try_from(birth).ok().and_then(against.hash_of);
                birth.ok_or(Invalid::AncientBirthBlock)?
            }
        };
        let layout = &against.runtime.layout;
        let mut payload = self.payload.clone();
        (layout.spec_version, layout.transaction_version).encode_to(&mut payload);
        (against.genesis, birth_hash, None::<[u8; 32]>).encode_to(&mut payload);
        if payload.len() > 256 {
            payload = blake2_256(&payload).to_vec();
        }
        if !is_signed_by(&self.signer, &payload, &self.signature) {
            return Err(Invalid::BadProof);
        }
        match self.nonce.cmp(&against.nonce) {
            std::cmp::Ordering::Less => Err(Invalid::Stale),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(Invalid::Future),
        }
    }
}

fn is_signed_by(signer: &Account, payload: &[u8], signature: &[u8]) -> bool {
    let key = schnorrkel::PublicKey::from_bytes(signer);
    let signature = schnorrkel::Signature::from_bytes(signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify_simple(b"substrate", payload, &signature).is_ok(),
        _ => false,
    }
}
