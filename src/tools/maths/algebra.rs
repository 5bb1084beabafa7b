//! Equations, polynomials, vectors, matrices and interest.

mod equations;
mod polynomials;
mod vectors;

pub(super) use equations::KINDS as EQUATIONS;
pub(super) use polynomials::KINDS as POLYNOMIALS;
pub(super) use vectors::KINDS as VECTORS;

const TOPIC: &str = "algebra";

/// A term of a sum after the first.
fn signed(value: i64) -> String {
    let sign = if value < 0 { '-' } else { '+' };
    format!("{sign} {}", value.unsigned_abs())
}
