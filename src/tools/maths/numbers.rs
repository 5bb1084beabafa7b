//! Divisors, sequences, powers, and everyday conversions.

mod divisors;
mod everyday;
mod powers;
mod sequences;

pub(super) use divisors::KINDS as DIVISORS;
pub(super) use everyday::KINDS as EVERYDAY;
pub(super) use powers::KINDS as POWERS;
pub(super) use sequences::KINDS as SEQUENCES;

const TOPIC: &str = "misc";
