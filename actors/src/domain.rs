//! The nouns of the system: plain data that travels between actors, ports and the program.
//!
//! Nothing here does input or output, and nothing here knows who sends it to whom.

mod answer;
mod chat;
mod context;
mod date;
mod generation;
mod ids;
mod metagraph;
mod persona;
mod score;
mod seed;
mod time;

pub use answer::{Answer, MinerReply, PieceArrival, Query, StatusCode};
pub use chat::{ChatMessage, Role};
pub use context::{Context, ContextBody, Origin, Section, SourceKind};
pub use date::Date;
pub use generation::{FinishReason, Generation, Lane, Sampling};
pub use ids::{BlockNumber, Coldkey, ConversationId, Hotkey, InvalidAddress, Netuid, Turn, Uid};
pub use metagraph::{Hyperparameters, Metagraph, Neuron, Tao};
pub use persona::{BadTraits, Cast, Persona, Traits};
pub use score::Score;
pub use seed::{Purpose, RunSeed};
pub use time::Moment;
