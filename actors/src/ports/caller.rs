//! Who sends a request to an axon.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Hotkey;

/// What a request's headers claim, bounded but not verified; every text is as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The caller's SS58 address; at most 128 bytes, as every text here but the signature.
    pub hotkey: Option<String>,
    /// Nanoseconds by the caller's clock.
    pub nonce: Option<u64>,
    /// The caller's choice.
    pub uuid: Option<String>,
    /// `0x` and 128 hex digits, if it is well-formed; at most 256 bytes.
    pub signature: Option<String>,
    /// The hash of the body's hashed fields. Signed; whoever reads the body compares it.
    pub body_hash: Option<String>,
    /// The caller's SDK version; not signed.
    pub version: Option<u64>,
    /// How long the caller waits, between 1 and 120 seconds; 12 if it does not say. Not signed.
    pub timeout: Duration,
}

/// What the subnet knows of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its hotkey holds a slot. There are only so many of them.
    Registered,
    /// Anyone; hotkeys cost nothing, so one stranger may be any number of them.
    Stranger,
}

/// Checks signatures and remembers nonces, so that a request counts once.
pub trait CallerCheck: Send {
    /// Verifies the head of a request at `now` since the Unix epoch. The signature covers the
    /// head's body hash; whether the body that follows has that hash is the asker's matter.
    ///
    /// # Errors
    /// Why the caller is not to be believed, in the SDK's words; nothing is remembered then.
    fn verify(
        &mut self,
        head: &SignedHead,
        standing: Standing,
        now: Duration,
    ) -> Result<Hotkey, String>;
}
