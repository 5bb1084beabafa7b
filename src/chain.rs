//! The chain behind `ports::Chain`: [`local`], inside the process, for `sn1 localnet`, and [`node`],
//! the real one. [`flapping`] has either be away at times.

pub mod flapping;
pub mod local;
pub mod node;
