//! The program as its users run it: a process with a command line, an environment, files, signals
//! and an exit code. What a part does by itself is tested beside the part.

#![expect(clippy::unwrap_used, reason = "a test's helper that cannot go on fails its test")]

mod bench;
mod chain;
mod chain_writes;
mod commands;
mod completions;
mod console;
mod doctor;
mod exploits;
mod export;
mod fault_proxy;
mod full_disk;
mod gateway_keys;
mod harness;
mod indistinguishable;
mod llama_server;
mod localnet;
mod maths;
mod miner;
mod openai_client;
#[cfg(feature = "otel")]
mod otel;
mod peers;
mod query;
mod real_model;
mod refusals;
mod reload;
mod remote_engine;
mod replay;
mod rewards_oracle;
mod score;
mod signals;
mod spending;
mod stackexchange;
mod state;
mod tasks;
mod upgrade_check;
mod wallet;
mod wandb;
mod wikipedia;
mod zim;
