//! Who sent a request: the check of its signed head.
//!
//! No clock, and no output but the marks that outlive the process. The axon's actor runs it after
//! its blacklist and before its queue, in the SDK's order; the server compares the signed hash with
//! the body, which is read only of callers that are verified.

use std::time::Duration;

use sn1_actors::domain::Hotkey;
use sn1_actors::ports::{CallerCheck, SignedHead, Standing};

use super::keys;
use super::marks::MarksFile;
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
    /// The body hash is none.
    #[error("Invalid body hash: expected 64 lower-case hex digits")]
    BodyHash,
    /// Replayed, too old, or from a clock that is not ours.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// The nonce cannot be written down, so the request could be replayed after a restart.
    #[error("Nonce cannot be remembered: the axon's disk failed, try again later")]
    NotKept,
    /// Signed by another key, for another axon, or over other values.
    #[error("Signature mismatch with {text} and {signature}")]
    Mismatch {
        /// What should have been signed.
        text: String,
        /// The signature that came.
        signature: String,
    },
}

/// The text that a dendrite signs for one axon.
#[must_use]
pub fn signed_text(nonce: u64, dendrite: &str, axon: &str, uuid: &str, body_hash: &str) -> String {
    format!("{nonce}.{dendrite}.{axon}.{uuid}.{body_hash}")
}

/// A head that lacks nothing; nothing in it is verified yet.
///
/// Signed texts are joined by dots, so heads that share a text must be the same head: nonce,
/// addresses and hash are held to alphabets without a dot, which leaves one way to read a text
/// whatever the uuid contains. The hash's form also keeps apart what axons sign: their replies end
/// in a uuid, over names that the caller chose, and so never in a hash.
struct Complete<'a> {
    nonce: u64,
    address: &'a str,
    uuid: &'a str,
    body_hash: &'a str,
    signature: &'a str,
}

impl<'a> Complete<'a> {
    fn of(head: &'a SignedHead) -> Result<Self, VerifyError> {
        let complete = Self {
            nonce: head.nonce.ok_or(VerifyError::MissingNonce)?,
            address: present(&head.hotkey).ok_or(VerifyError::MissingHotkey)?,
            uuid: present(&head.uuid).ok_or(VerifyError::MissingUuid)?,
            body_hash: present(&head.body_hash).ok_or(VerifyError::MissingBodyHash)?,
            signature: present(&head.signature).ok_or(VerifyError::MissingSignature)?,
        };
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if complete.body_hash.len() != 64 || !complete.body_hash.bytes().all(is_hex) {
            return Err(VerifyError::BodyHash);
        }
        Ok(complete)
    }

    /// Who signed it for the axon `own`.
    fn verify(&self, own: &Hotkey) -> Result<Hotkey, VerifyError> {
        let public = ss58::decode(self.address)?;
        let hotkey = Hotkey::parse(self.address).map_err(|_| AddressError::Length)?;
        let digits = self.signature.strip_prefix("0x").ok_or(VerifyError::SignatureFormat)?;
        let bytes = hex::decode(digits).map_err(|_| VerifyError::SignatureFormat)?;
        let bytes = <[u8; 64]>::try_from(bytes).map_err(|_| VerifyError::SignatureLength)?;
        let text = signed_text(self.nonce, self.address, own.as_str(), self.uuid, self.body_hash);
        if !keys::verify(&public, &text, &bytes) {
            return Err(VerifyError::Mismatch { text, signature: self.signature.into() });
        }
        Ok(hotkey)
    }
}

fn present(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The whole check of a request's head, with the memory that refuses replays.
#[derive(Debug)]
pub struct Verifier {
    own: Hotkey,
    book: NonceBook,
    marks: Option<MarksFile>,
}

impl Verifier {
    /// For the axon that holds the key `own`. Without a file of marks a restart forgets those of
    /// SDKs older than 7.2, and of nonces from the future.
    #[must_use]
    pub fn new(own: Hotkey, book: NonceBook, marks: Option<MarksFile>) -> Self {
        Self { own, book, marks }
    }

    /// Verifies a head at `now` since the Unix epoch, and remembers its nonce if it holds.
    ///
    /// # Errors
    /// [`VerifyError`] says why the caller is not to be believed; nothing is remembered then.
    pub fn verify(
        &mut self,
        head: &SignedHead,
        standing: Standing,
        now: Duration,
    ) -> Result<Hotkey, VerifyError> {
        // The cheap checks first: a flood of replays costs no curve arithmetic.
        let complete = Complete::of(head)?;
        let claim = NonceClaim {
            hotkey: complete.address,
            uuid: complete.uuid,
            nonce: complete.nonce,
            version: head.version,
            timeout: head.timeout,
            standing,
        };
        self.book.heed(now);
        let mark = self.book.check(&claim, now)?;
        let caller = complete.verify(&self.own)?;
        if let Some(marks) = &mut self.marks
            && mark.must_be_kept(now)
            && let Err(error) = marks.append(&mark, &self.book, now)
        {
            let file = marks.path().display();
            tracing::error!(%file, %error, "refused a caller, as its nonce cannot be kept");
            return Err(VerifyError::NotKept);
        }
        self.book.record(&mark, now);
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
        Self::verify(self, head, standing, now).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
