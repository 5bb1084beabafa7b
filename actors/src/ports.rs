//! The traits that the program implements to connect the actors with the world.
//!
//! Each has at least two implementors: a real one in the root package and a fake in the testkit.
//! Futures are boxed so that a port can be shared as `Arc<dyn Port>`.

mod caller;
mod chain;
mod clock;
mod engine;
mod journal;
mod ledger;
mod text_backend;
mod tool;
mod transport;

pub use caller::{CallerCheck, SignedHead, Standing};
pub use chain::{Chain, ChainError, Inclusion, PreparedWeights, Sighting, WeightsCall};
pub use clock::{Clock, TokioClock, in_time};
pub use engine::{
    BLOCK_TOKENS, BlockId, Codec, CodecError, Device, DeviceDone, DeviceWork, EngineError,
    Placement, Row, SequenceId, Step, StepEngine,
};
pub use journal::{Event, Journal, JournalError, OrganicOutcome, Stopped, Untaken, Unwritten};
pub use ledger::{
    Commitment, Ledger, LedgerError, PendingReveal, ScoreBook, SignedCall, WeightsIntent,
    WeightsWay,
};
pub use text_backend::{Piece, TextBackend, TextError, TextRequest};
pub use tool::{Tool, ToolError, Want};
pub use transport::{AxonTarget, MinerTransport};
