//! What the Python packages give for a fixed set of pairs; made by scripts/oracles/rewards.py with the
//! packages themselves.

use serde::Deserialize;

const CASES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rewards.json"));

/// A pair of texts, and what it gives.
#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) reference: String,
    pub(super) completion: String,
    /// Precision, recall and F of ROUGE-1, of ROUGE-2 and of ROUGE-L; none where the package raises
    /// or sees no word.
    pub(super) rouge: Option<[[f64; 3]; 3]>,
    pub(super) ratio: f64,
    pub(super) partial_ratio: f64,
    pub(super) token_sort_ratio: f64,
}

impl Case {
    /// Fails if ours is not theirs to nine digits.
    pub(super) fn assert_same(&self, ours: f64, theirs: f64) {
        let Self { reference, completion, .. } = self;
        assert!(
            (ours - theirs).abs() < 1e-9,
            "{ours} for {theirs}: {completion:?} against {reference:?}"
        );
    }
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).unwrap()
}
