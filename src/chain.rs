//! The chain behind `ports::Chain`.
//!
//! This version has one chain: [`local`], inside the process, for `sn1 localnet`. The real networks
//! are refused by name ([`NetworkNotBuilt`]), so that nobody takes a local run for a real one.

pub mod local;
pub mod node;

/// A network was asked for that this version cannot reach, as `finney` or `test`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subtensor.network = `{network}` is not built yet: only `sn1 localnet` (an in-process chain) \
     runs in this version"
)]
pub struct NetworkNotBuilt {
    /// What `subtensor.network` says.
    pub network: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_names_the_network_and_what_runs_instead() {
        assert_eq!(
            NetworkNotBuilt { network: "finney".into() }.to_string(),
            "subtensor.network = `finney` is not built yet: only `sn1 localnet` (an in-process \
             chain) runs in this version"
        );
    }
}
