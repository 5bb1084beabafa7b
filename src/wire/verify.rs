//! Who sent a request: the check of its signed head.
//!
//! Pure: no input, no output, no clock. The axon's actor runs it after its blacklist and before
//! its queue, in the SDK's order.

use std::time::Duration;

use sn1_actors::domain::Hotkey;
use sn1_actors::ports::{CallerCheck, SignedHead, Standing};

use super::keys;
use super::nonce::{NonceBook, NonceClaim, NonceError};
use super::ss58::{self, AddressError};

/// Why a request is not verified: the SDK's words where it has any, as they go to the caller.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// No nonce.
    #[error("Missing Nonce")]
    MissingNonce,
    /// No hotkey.
    #[error("No SS58 formatted address or public key provided.")]
    MissingHotkey,
    /// No uuid.
    #[error("Missing Uuid")]
    MissingUuid,
    /// No body hash.
    #[error("Missing Body Hash")]
    MissingBodyHash,
    /// No signature.
    #[error("Missing Signature")]
    MissingSignature,
    /// The hotkey is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The signature is not in hex.
    #[error("Invalid signature format. Expected hex string.")]
    SignatureFormat,
    /// The signature is not 64 bytes long.
    #[error("Invalid SR25519 signature.")]
    SignatureLength,
    /// Replayed, or too old.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// Signed by another key, for another axon, or over other values.
    #[error("Signature mismatch with {text} and {signature}")]
    Mismatch {
        /// What should have been signed.
        text: String,
        /// The signature that came.
        signature: String,
    },
}

/// A caller whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCaller {
    /// Who it is.
    pub hotkey: Hotkey,
    /// Its uuid, for logs.
    pub uuid: String,
    /// Its nonce.
    pub nonce: u64,
}

/// The text that a dendrite signs for one axon.
#[must_use]
pub fn signed_text(nonce: u64, dendrite: &str, axon: &str, uuid: &str, body_hash: &str) -> String {
    format!("{nonce}.{dendrite}.{axon}.{uuid}.{body_hash}")
}

/// Checks that the head is complete, and that it was signed by the hotkey it names for the axon
/// `own`. Whether the nonce is fresh is [`Verifier`]'s matter.
///
/// # Errors
/// [`VerifyError`] says what is missing or wrong.
pub fn verify_head(head: &SignedHead, own: &Hotkey) -> Result<VerifiedCaller, VerifyError> {
    let nonce = head.nonce.ok_or(VerifyError::MissingNonce)?;
    let address = present(&head.hotkey).ok_or(VerifyError::MissingHotkey)?;
    let uuid = present(&head.uuid).ok_or(VerifyError::MissingUuid)?;
    let signed_hash = present(&head.body_hash).ok_or(VerifyError::MissingBodyHash)?;
    let signature = present(&head.signature).ok_or(VerifyError::MissingSignature)?;
    let public = ss58::decode(address)?;
    let hotkey = Hotkey::parse(address).map_err(|_| AddressError::Length)?;
    let digits = signature.strip_prefix("0x").ok_or(VerifyError::SignatureFormat)?;
    let bytes = hex::decode(digits).map_err(|_| VerifyError::SignatureFormat)?;
    let bytes = <[u8; 64]>::try_from(bytes).map_err(|_| VerifyError::SignatureLength)?;
    let text = signed_text(nonce, address, own.as_str(), uuid, signed_hash);
    if !keys::verify(&public, &text, &bytes) {
        return Err(VerifyError::Mismatch { text, signature: signature.into() });
    }
    Ok(VerifiedCaller { hotkey, uuid: uuid.into(), nonce })
}

fn present(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The whole check of a request, with the memory that refuses replays.
#[derive(Debug)]
pub struct Verifier {
    own: Hotkey,
    book: NonceBook,
}

impl Verifier {
    /// For the axon that holds the key `own`.
    #[must_use]
    pub fn new(own: Hotkey, book: NonceBook) -> Self {
        Self { own, book }
    }

    /// Verifies a request at `now` since the Unix epoch, and remembers its nonce if it holds.
    ///
    /// # Errors
    /// [`VerifyError`] says why the caller is not to be believed; nothing is remembered then.
    pub fn verify(
        &mut self,
        head: &SignedHead,
        standing: Standing,
        now: Duration,
    ) -> Result<VerifiedCaller, VerifyError> {
        let _ = standing;
        // The cheap check first: a flood of replays costs no curve arithmetic.
        let claim = head.hotkey.as_deref().zip(head.uuid.as_deref()).zip(head.nonce).map(
            |((hotkey, uuid), nonce)| NonceClaim {
                hotkey,
                uuid,
                nonce,
                version: head.version,
                timeout: head.timeout,
            },
        );
        if let Some(claim) = &claim {
            self.book.check(claim, now)?;
        }
        let caller = verify_head(head, &self.own)?;
        if let Some(claim) = &claim {
            self.book.record(claim);
        }
        Ok(caller)
    }
}

impl CallerCheck for Verifier {
    fn verify(
        &mut self,
        head: &SignedHead,
        standing: Standing,
        now: Duration,
    ) -> Result<Hotkey, String> {
        let caller = Self::verify(self, head, standing, now);
        caller.map(|caller| caller.hotkey).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
