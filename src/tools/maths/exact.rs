//! Fractions and polynomials as text, exactly and in one way each.

use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A reduced fraction; what it is made of fits easily, since operands have a few digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    numerator: i64,
    /// Positive.
    denominator: i64,
}

impl Fraction {
    /// `denominator` is not 0.
    pub(super) fn new(numerator: i64, denominator: i64) -> Self {
        let common = common_divisor(numerator, denominator) * denominator.signum();
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    pub(super) fn numerator(self) -> i64 {
        self.numerator
    }

    pub(super) fn denominator(self) -> i64 {
        self.denominator
    }

    fn abs(self) -> Self {
        Self { numerator: self.numerator.abs(), ..self }
    }
}

impl From<i64> for Fraction {
    fn from(whole: i64) -> Self {
        Self { numerator: whole, denominator: 1 }
    }
}

impl Add for Fraction {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(
            self.numerator * other.denominator + other.numerator * self.denominator,
            self.denominator * other.denominator,
        )
    }
}

impl Neg for Fraction {
    type Output = Self;

    fn neg(self) -> Self {
        Self { numerator: -self.numerator, ..self }
    }
}

impl Sub for Fraction {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Fraction {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(self.numerator * other.numerator, self.denominator * other.denominator)
    }
}

/// By anything but 0.
impl Div for Fraction {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self::new(self.numerator * other.denominator, self.denominator * other.numerator)
    }
}

/// `-3/4`, or `2` for a whole number.
impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

/// The greatest common divisor, positive unless both are 0.
pub(super) fn common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { common_divisor(b, a % b) }
}

/// A polynomial in x from its coefficients, that of the highest power first: `3x^2 - (1/2)x + 5`.
///
/// Terms that vanish are left out, and so is a coefficient of one; nothing at all is `0`.
pub(super) fn polynomial<T: Copy + Into<Fraction>>(coefficients: &[T]) -> String {
    let powers = (0..coefficients.len()).rev();
    sum(powers.zip(coefficients).map(|(power, &coefficient)| (coefficient, power)))
}

/// A sum of powers of x in the given order, from pairs of a coefficient and an exponent: the like
/// terms stay apart.
pub(super) fn sum<T: Into<Fraction>>(terms: impl IntoIterator<Item = (T, usize)>) -> String {
    let mut text = String::new();
    for (coefficient, power) in terms {
        let coefficient: Fraction = coefficient.into();
        let negative = coefficient.numerator < 0;
        let size = coefficient.abs();
        let size = match (size.numerator, size.denominator, power) {
            (0, ..) => continue,
            (1, 1, 1..) => String::new(),
            (_, 1, _) | (_, _, 0) => size.to_string(),
            _ => format!("({size})"),
        };
        text += match (text.is_empty(), negative) {
            (true, true) => "-",
            (true, false) => "",
            (false, true) => " - ",
            (false, false) => " + ",
        };
        text += &size;
        match power {
            0 => {}
            1 => text.push('x'),
            _ => text += &format!("x^{power}"),
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_reduced_and_carry_their_sign_above() {
        let text = |a, b| Fraction::new(a, b).to_string();
        assert_eq!(text(6, 8), "3/4");
        assert_eq!(text(6, -8), "-3/4");
        assert_eq!(text(-6, -3), "2");
        assert_eq!(text(0, -5), "0");
    }

    #[test]
    fn fractions_are_added_and_multiplied_and_what_was_done_can_be_undone() {
        let (a, b) = (Fraction::new(-5, 6), Fraction::new(3, 4));
        assert_eq!(a + b, Fraction::new(-1, 12));
        assert_eq!(a * b, Fraction::new(-5, 8));
        assert_eq!(a + b - b, a);
        assert_eq!(a * b / b, a);
    }

    #[test]
    fn polynomials_have_no_vanishing_terms_and_no_coefficients_of_one() {
        assert_eq!(polynomial(&[3, -1, 0, 5]), "3x^3 - x^2 + 5");
        assert_eq!(polynomial(&[-1, 1]), "-x + 1");
        assert_eq!(polynomial(&[0, 0, -1]), "-1");
        assert_eq!(polynomial(&[0]), "0");
        let half = Fraction::new(-1, 2);
        assert_eq!(polynomial(&[half, half, half]), "-(1/2)x^2 - (1/2)x - 1/2");
        assert_eq!(sum([(2, 1), (1, 7), (-4, 1)]), "2x + x^7 - 4x");
    }
}
