//! The chain behind `ports::Chain`: [`local`], inside the process, for `sn1 localnet`, and [`node`],
//! the real one.

pub mod local;
pub mod node;
