//! A real chain, through its nodes' JSON-RPC.
//!
//! [`session`] is one connection to one node. Everything is read and signed by the metadata of the
//! block in question, and every item in it is found by its name: runtimes differ in the numbers of
//! calls, errors and fields, and in the order of fields.

pub mod endpoint;
pub mod failure;
pub mod keeper;
pub mod metagraph;
pub mod probe;
pub mod rules;
pub mod session;
pub mod storage;

#[cfg(test)]
mod testkit;
