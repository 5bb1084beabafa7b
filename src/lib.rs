//! The program `sn1`, as a library so that its parts can be tested from outside.

pub mod chain;
pub mod config;
pub mod engine;
pub mod models;
pub mod tools;
pub mod wire;
