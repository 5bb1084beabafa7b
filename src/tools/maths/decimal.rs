//! Decimal text from whole numbers, so that a rounded answer does not hang on binary fractions.
//!
//! Rounding is half away from zero. The kinds choose operands that never land on a half, because
//! people and programs disagree about halves.

/// `value` hundredths, always with two decimals.
pub(super) fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

/// `value` hundredths with as few decimals as it takes.
pub(super) fn exact_hundredths(value: i64) -> String {
    let text = hundredths(value);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `numerator / denominator` (positive) with two decimals.
pub(super) fn ratio(numerator: i64, denominator: i64) -> String {
    let doubled = numerator.abs() * 200 + denominator;
    hundredths(numerator.signum() * (doubled / (2 * denominator)))
}

/// The square root of `number` with two decimals.
pub(super) fn root(number: u64) -> String {
    hundredths(nearest_root(number * 10_000))
}

/// The whole number nearest to the square root of `number`.
pub(super) fn nearest_root(number: u64) -> i64 {
    ((4 * number).isqrt().div_ceil(2)).cast_signed()
}

/// `factor` times π with two decimals; `factor` is at most a few millions.
pub(super) fn times_pi(factor: i32) -> String {
    hundredths((std::f64::consts::PI * f64::from(factor) * 100.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_hundredths_of_either_sign() {
        assert_eq!(hundredths(1205), "12.05");
        assert_eq!(hundredths(-5), "-0.05");
        assert_eq!(hundredths(0), "0.00");
    }

    #[test]
    fn leaves_out_the_decimals_that_say_nothing() {
        assert_eq!(exact_hundredths(1250), "12.5");
        assert_eq!(exact_hundredths(120_000), "1200");
        assert_eq!(exact_hundredths(-1), "-0.01");
    }

    #[test]
    fn rounds_ratios_to_the_nearest_hundredth() {
        assert_eq!(ratio(355, 113), "3.14");
        assert_eq!(ratio(2, 3), "0.67");
        assert_eq!(ratio(-2, 3), "-0.67");
        assert_eq!(ratio(7, 7), "1.00");
    }

    #[test]
    fn the_nearest_root_is_nearest_for_every_small_number() {
        for number in 0..5000_u64 {
            let nearest = (number as f64).sqrt().round() as i64;
            assert_eq!(nearest_root(number), nearest, "{number}");
        }
        assert_eq!(root(2), "1.41");
    }

    #[test]
    fn multiplies_pi() {
        assert_eq!(times_pi(1), "3.14");
        assert_eq!(times_pi(1_000_000), "3141592.65");
    }
}
