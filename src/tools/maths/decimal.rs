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

/// The cube root of `number` with two decimals.
pub(super) fn cube_root(number: i64) -> String {
    let target = 8 * 1_000_000 * number;
    // The edges of what rounds to `root` are half a hundredth away on either side.
    let reaches = |root: &i64| (2 * root - 1).pow(3) <= target;
    hundredths((1..).take_while(reaches).last().unwrap_or(0))
}

/// `numerator / denominator` (positive) times π with two decimals; `numerator` is at most 10^10.
pub(super) fn pi_times(numerator: i64, denominator: i64) -> String {
    const PI: i128 = 3_141_592_653_589_793_238_462_643;
    const UNIT: i128 = 10_i128.pow(24);
    let (above, below) = (PI * i128::from(numerator) * 100, UNIT * i128::from(denominator));
    hundredths(((2 * above + below).div_euclid(2 * below)) as i64)
}

/// `value` with two decimals, unless it is so near to a half hundredth that the error of a binary
/// fraction, or another habit of rounding, decides. Values are at most a few millions.
pub(super) fn clear(value: f64) -> Option<String> {
    let scaled = value * 100.0;
    let from_half = (scaled - scaled.floor() - 0.5).abs();
    (from_half > 1e-6).then(|| hundredths(scaled.round() as i64))
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
    fn cube_roots_are_nearest() {
        for number in 1..5000 {
            let nearest = ((number as f64).cbrt() * 100.0).round() as i64;
            assert_eq!(cube_root(number), hundredths(nearest), "{number}");
        }
    }

    #[test]
    fn multiplies_pi() {
        assert_eq!(pi_times(1, 1), "3.14");
        assert_eq!(pi_times(1_000_000, 1), "3141592.65");
        assert_eq!(pi_times(4, 3), "4.19");
    }

    #[test]
    fn nothing_is_rounded_at_a_half() {
        assert_eq!(clear(1.125), None);
        assert_eq!(clear(-0.005), None);
        assert_eq!(clear(2.675), None);
        assert_eq!(clear(-2.0 / 3.0).as_deref(), Some("-0.67"));
        assert_eq!(clear(1.1251).as_deref(), Some("1.13"));
    }
}
