//! A real chain, through its nodes' JSON-RPC.
//!
//! [`session`] is one connection to one node. Everything is read and signed by the metadata of the
//! block in question, and every item in it is found by its name: runtimes differ in the numbers of
//! calls, errors and fields, and in the order of fields.

pub mod address;
pub mod block_time;
pub mod calls;
pub mod commit_reveal;
pub mod endpoint;
pub mod epoch;
pub mod failure;
pub mod head;
pub mod keeper;
pub mod metagraph;
pub mod neuron;
pub mod pool;
pub mod probe;
pub mod receipt;
pub mod refusal;
pub mod registration;
pub mod rules;
pub mod search;
pub mod session;
pub mod signer;
pub mod storage;
pub mod submit;
pub mod subtensor;
pub mod timelock;
pub mod weights;

#[cfg(test)]
mod testkit;
