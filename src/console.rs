//! What an operator sees of a running validator or miner: metrics for Prometheus, whether it is ready,
//! and, of a validator, a page that shows it live.
//!
//! Read-only, and never on the way of a conversation: events come over the tap, everything else is
//! looked at from outside. Left out: a login, so that it belongs on loopback or behind a proxy.

pub mod board;
pub mod feed;
pub mod health;
pub mod history;
pub mod metrics;
mod process;
mod scrape;
pub mod server;
mod state;
pub mod vitals;
