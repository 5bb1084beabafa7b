//! Lengths, areas, volumes and angles.

mod angles;
mod flat;
mod solid;

pub(super) use angles::KINDS as ANGLES;
pub(super) use flat::KINDS as FLAT;
pub(super) use solid::KINDS as SOLID;

const TOPIC: &str = "geometry";
