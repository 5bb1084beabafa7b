//! The neuron protocol: synapses, signatures, and the HTTP client and server that carry them.
//!
//! Speaks the wire format of the Python SDK 10.5.0, which 6.6 and later understand. Used by the
//! wiring of the validator ([`HttpTransport`] is its `MinerTransport`), of the miner
//! ([`AxonServer`] in front of the axon actor) and of the local network (both).
//!
//! Keys on disk are the matter of [`wallet`](crate::wallet).

pub mod body_hash;
pub mod client;
mod headers;
pub mod keys;
pub mod marks;
pub mod nonce;
pub mod python_repr;
pub mod server;
pub mod ss58;
mod synapse;
#[cfg(test)]
mod testkit;
mod uuids;
pub mod verify;

pub use client::{HttpTransport, TransportOptions, resolve};
pub use keys::Keypair;
pub use marks::MarksFile;
pub use nonce::NonceBook;
pub use server::{AxonDoor, AxonKnock, AxonOptions, AxonServer, Seat};
pub use uuids::UuidSource;
pub use verify::{Verifier, VerifyError};

/// The SDK release that we speak as, in the SDK's notation: 10.5.0.
pub const PROTOCOL_VERSION: u64 = 10_005_000;
