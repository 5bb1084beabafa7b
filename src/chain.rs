//! The chain behind `ports::Chain`.
