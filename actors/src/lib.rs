#![doc = include_str!("../README.md")]

#[cfg(not(panic = "unwind"))]
compile_error!("sn1 restarts actors by catching panics: build it with panic = \"unwind\"");

pub mod assistant;
pub mod axon;
mod by_name;
pub mod chain_watch;
pub mod conversation;
pub mod dendrite;
pub mod domain;
pub mod model_worker;
pub mod organic;
pub mod pacer;
pub mod persona_agent;
pub mod ports;
pub mod reward_scorer;
pub mod runtime;
pub mod spans;
pub mod task_maker;
pub mod text;
pub mod tool_fetcher;
pub mod weight_setter;
pub mod wiring;

#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
