//! What goes wrong between us and a node, and what of it a caller acts on.

use sn1_actors::ports::ChainError;

/// Why a node did not give what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No answer in time: the connection is of no use any more.
    #[error("{what}: no answer in time")]
    Late {
        /// What was asked.
        what: &'static str,
    },
    /// The connection is gone, or was never there.
    #[error("{what}: {cause}")]
    Transport {
        /// What was asked.
        what: &'static str,
        /// What the client says.
        cause: String,
    },
    /// The runtime lacks something that is needed.
    #[error("the runtime (spec {spec}) has no {item}")]
    Missing {
        /// The runtime's version.
        spec: u32,
        /// What is not there, as `SubtensorModule.set_weights`.
        item: String,
    },
    /// The node's answer is not what the metadata says.
    #[error("{what} cannot be decoded: {cause}")]
    Garbled {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl From<Failure> for ChainError {
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Late { .. } | Failure::Transport { .. } | Failure::Garbled { .. } => {
                Self::Unreachable(failure.to_string())
            }
            Failure::Missing { .. } => Self::Refused(failure.to_string()),
        }
    }
}
