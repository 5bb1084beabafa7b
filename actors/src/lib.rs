#![doc = include_str!("../README.md")]

#[cfg(not(panic = "unwind"))]
compile_error!("sn1 restarts actors by catching panics: build it with panic = \"unwind\"");

pub mod domain;
pub mod ports;
pub mod runtime;
