//! The kit that actors run in: supervision, bounded ports, tasks, credits and shutdown.
//!
//! Only this module spawns, and only it touches raw actix addresses; everywhere else clippy bans
//! them (`.clippy.toml`). What actix itself does and does not do is pinned in
//! `actors/tests/actix_semantics.rs`.

#![expect(clippy::disallowed_methods, reason = "this module is what the bans point to")]

mod credits;
mod failpoints;
mod gauge;
mod guardian;
mod inbox;
mod kill_switch;
mod overseer;
mod policy;
mod port;
mod progress;
mod promise;
mod roster;
mod tasks;
mod topology;

pub use credits::{Credit, Credits};
pub use failpoints::Failpoints;
pub use gauge::PortCounts;
pub use inbox::Inbox;
pub use kill_switch::{Fault, FaultKind, KillSwitch};
pub use overseer::Overseer;
pub use policy::RestartPolicy;
pub use port::{AskError, Job, Port, Refused, Reply, Slot};
pub use progress::{Progress, ProtectedZone};
pub use promise::{Broken, Promise, Promised};
pub use roster::{ActorHealth, ActorStatus, Roster};
pub use tasks::Tasks;
pub use topology::{Edge, PortStatus, Topology, TopologyError, Verb};
