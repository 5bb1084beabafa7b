//! The runtime kit under fault, on virtual time: supervision, ports, tasks, credits, topology.
//!
//! Nothing here waits on real time. What actix does beneath it is pinned in `actix_semantics.rs`.

#[path = "runtime/health.rs"]
mod health;
#[path = "runtime/ports.rs"]
mod ports;
#[path = "runtime/stage.rs"]
mod stage;
#[path = "runtime/supervision.rs"]
mod supervision;
#[path = "runtime/tasks.rs"]
mod tasks;
#[path = "runtime/topology.rs"]
mod topology;
