//! Linear equations and quadratic ones.

use super::Kind;
use super::numbers::{Numbers, fraction, literal, whole};

/// No equation has more terms.
const MOST_TERMS: usize = 32;

pub(super) const KINDS: &[Kind] = &[
    Kind { begins: "solve the equation ", solve: |p| linear(until(p.rest, " for ")) },
    Kind { begins: "solve for x: ", solve: |p| linear(until(p.rest, "\n")) },
    Kind { begins: "solve for x in ", solve: |p| linear(until(p.rest, "\n")) },
    Kind {
        begins: "given the equations ",
        solve: |p| pair(p.rest).map(|(x, y)| format!("({x}, {y})")),
    },
    Kind {
        begins: "given ",
        solve: |p| {
            let (x, y) = pair(p.rest)?;
            if p.rest.contains("what is x") {
                Some(x)
            } else {
                p.rest.contains("what is y").then_some(y)
            }
        },
    },
    Kind {
        begins: "what are the two zeros of ",
        solve: |p| {
            let (a, b, c) = quadratic(until(p.rest, "? "))?;
            let root = (b * b - 4.0 * a * c).sqrt();
            let (one, other) = ((-b - root) / (2.0 * a), (-b + root) / (2.0 * a));
            let rest = "two decimals";
            let shown = |value| super::numbers::shown(value, rest);
            Some(format!("{}, {}", shown(one.min(other))?, shown(one.max(other))?))
        },
    },
    Kind {
        begins: "discriminant of the quadratic equation ",
        solve: |p| {
            let (a, b, c) = quadratic(until(p.rest, " = 0"))?;
            p.shown(b * b - 4.0 * a * c)
        },
    },
    Kind {
        begins: "which of the two complex roots of ",
        solve: |p| {
            p.rest.contains("positive imaginary part").then_some(())?;
            let (a, b, c) = quadratic(until(p.rest, " = 0"))?;
            let part = whole((4.0 * a * c - b * b).sqrt() / (2.0 * a).abs())?;
            Some(format!("{}+{part}i", whole(-b / (2.0 * a))?))
        },
    },
    Kind {
        begins: "argument of the complex number ",
        solve: |p| {
            let (real, imaginary) = complex(until(p.rest, ","))?;
            p.shown(imaginary.atan2(real))
        },
    },
];

fn until<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or(text, |(before, _)| before).trim_end_matches(['.', '?', ' '])
}

/// The coefficients of one side: of x, of y, of x squared, and the number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Side {
    x: f64,
    y: f64,
    square: f64,
    number: f64,
}

fn side(text: &str) -> Option<Side> {
    let text = text.replace('−', "-").replace(' ', "");
    let mut side = Side::default();
    let mut rest = text.as_str();
    for _ in 0..MOST_TERMS {
        if rest.is_empty() {
            return Some(side);
        }
        let sign = if rest.starts_with('-') { -1.0 } else { 1.0 };
        rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let digits = literal(rest);
        let has_number = !digits.is_empty();
        let factor: f64 = if has_number { digits.parse().ok()? } else { 1.0 };
        rest = rest.get(digits.len()..)?;
        rest = rest.strip_prefix('*').unwrap_or(rest);
        let place = if let Some(after) = rest.strip_prefix("x^2") {
            rest = after;
            &mut side.square
        } else if let Some(after) = rest.strip_prefix('x') {
            rest = after;
            &mut side.x
        } else if let Some(after) = rest.strip_prefix('y') {
            rest = after;
            &mut side.y
        } else if has_number {
            &mut side.number
        } else {
            return None;
        };
        *place += sign * factor;
        if !(rest.is_empty() || rest.starts_with(['+', '-'])) {
            return None;
        }
    }
    None
}

/// One side less the other.
fn equation(text: &str) -> Option<Side> {
    let (left, right) = text.split_once('=')?;
    let (left, right) = (side(left)?, side(right)?);
    Some(Side {
        x: left.x - right.x,
        y: left.y - right.y,
        square: left.square - right.square,
        number: left.number - right.number,
    })
}

fn linear(text: &str) -> Option<String> {
    let Side { x, y, square, number } = equation(text)?;
    if x == 0.0 || y != 0.0 || square != 0.0 {
        return None;
    }
    quotient(-number, x)
}

/// The solution of two equations.
fn pair(text: &str) -> Option<(String, String)> {
    let (one, rest) = text.split_once(" and ")?;
    let one = equation(one)?;
    let two = equation(rest.split_once(',')?.0)?;
    let below = one.x * two.y - two.x * one.y;
    if below == 0.0 || one.square != 0.0 || two.square != 0.0 {
        return None;
    }
    let x = quotient(one.y * two.number - two.y * one.number, below)?;
    Some((x, quotient(two.x * one.number - one.x * two.number, below)?))
}

fn quotient(above: f64, below: f64) -> Option<String> {
    match (whole(above), whole(below)) {
        (Some(above), Some(below)) => fraction(above, below),
        _ => super::numbers::shown(above / below, ""),
    }
}

fn quadratic(text: &str) -> Option<(f64, f64, f64)> {
    let Side { x, y, square, number } = side(text)?;
    (square != 0.0 && y == 0.0).then_some((square, x, number))
}

/// A complex number that is written as `a+bi`.
fn complex(text: &str) -> Option<(f64, f64)> {
    let text = text.replace(' ', "");
    let body = text.strip_suffix('i')?;
    let at = body.rfind(['+', '-']).filter(|at| *at > 0)?;
    let (real, imaginary) = body.split_at_checked(at)?;
    match (Numbers::of(real).all(), imaginary.parse()) {
        ([real], Ok(imaginary)) => Some((*real, imaginary)),
        _ => None,
    }
}
