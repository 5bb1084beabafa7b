//! Weights that are encrypted until a round of drand (commit-reveal v4).

/// What is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelockPayload {
    /// Whose weights they are.
    pub hotkey: [u8; 32],
    /// Whom they are for.
    pub uids: Vec<u16>,
    /// The weights.
    pub values: Vec<u16>,
    /// The version key of the program that made them.
    pub version_key: u64,
}

/// Why it could not be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timelocked weights are not built yet")]
pub struct TimelockError;

/// Encrypts until a round of drand is published.
///
/// # Errors
/// [`TimelockError`], always: the encryption is merged from another branch.
pub fn encrypt(_: &TimelockPayload, _reveal_round: u64) -> Result<Vec<u8>, TimelockError> {
    Err(TimelockError)
}
