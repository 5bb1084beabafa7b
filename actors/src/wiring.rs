//! The topology: which actors there are and which ports each holds.
//!
//! It lives beside the actors, not in the program, so that tests on virtual time run the very graph
//! that the program runs; the program only chooses the adapters. Every port is handed out through
//! [`crate::runtime::Topology`], which proves that asks point down and that no circle of pushes can stand still.

mod chain;
mod miner;
mod shared;
mod validator;

pub use chain::{ChainParts, ChainSeen, start_chain_watch};
pub use miner::{Miner, MinerConfig, MinerParts, start_miner};
pub use shared::{ModelParts, Shared, ToolParts, start_shared};
pub use validator::{ScoringConfig, Validator, ValidatorConfig, ValidatorParts, start_validator};
