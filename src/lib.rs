//! The program `sn1`, as a library so that its parts can be tested from outside.

pub mod chain;
pub mod cli;
pub mod config;
mod connections;
pub mod console;
pub mod doctor;
pub mod engine;
pub mod exit;
pub mod export;
pub mod gateway;
pub mod journal;
pub mod ledger;
mod loopback;
pub mod models;
pub mod replay;
mod retry_after;
mod rotation;
pub mod running_server;
pub mod tap;
pub mod telemetry;
pub mod tools;
pub mod wallet;
pub mod wandb;
mod whole_file;
pub mod wire;
pub mod wiring;
