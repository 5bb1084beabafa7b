//! What the encoder does to each row by itself: GELU, layer normalisation, and the exponential
//! function that they and attention need. Plain loops, which the compiler vectorises.

use super::weights::Norm;
use crate::engine::kernels::{LANES, Vector, Work};

/// e to the power of `x`, which is at most 0, to some 1e-7 of itself; e^-87 for all below -87.
#[inline(always)]
pub(super) fn exp<V: Vector>(x: f32) -> f32 {
    /// 1.5 * 2^23: beside it a number has no fraction, and its last bits are a whole number's.
    const ROUNDER: f32 = 12_582_912.0;
    /// ln 2 in two parts; the first has so few bits that its multiples are exact.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = V::mul_add(x, std::f32::consts::LOG2_E, ROUNDER);
    let n = shifted - ROUNDER;
    let r = V::mul_add(n, -LN_2.1, V::mul_add(n, -LN_2.0, x));
    // (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, Cephes' coefficients.
    let mut tail = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        tail = V::mul_add(tail, r, coefficient);
    }
    let fraction = V::mul_add(tail, r * r, r) + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    fraction * power
}

/// `x` times the probability that a normal variable is below `x`: GELU in its exact form, to 2e-8
/// besides rounding.
#[inline(always)]
fn gelu<V: Vector>(x: f32) -> f32 {
    // -ln of the probability that it is below -t, for t in 0..=6: a fit by least squares, weighed
    // so that the largest error of the whole is least. Beyond, it goes on growing.
    const COEFFICIENTS: [f32; 9] = [
        9.392_6e-7,
        -1.466_664_1e-5,
        6.679_133_4e-5,
        2.531_587e-4,
        -5.118_269_5e-3,
        3.655_915_3e-2,
        0.318_231_1,
        0.797_896_74,
        0.693_146_7,
    ];
    let t = if x < 0.0 { -x } else { x };
    let mut sum = COEFFICIENTS[0];
    for coefficient in &COEFFICIENTS[1..] {
        sum = V::mul_add(sum, t, *coefficient);
    }
    let below = x * exp::<V>(-sum);
    if x < 0.0 { below } else { x - below }
}

/// Each number becomes the GELU of its sum with the bias of its column.
pub(super) struct AddAndGelu<'a> {
    /// Rows as long as `bias`.
    pub(super) rows: &'a mut [f32],
    pub(super) bias: &'a [f32],
}

impl Work for AddAndGelu<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            for (x, bias) in row.iter_mut().zip(self.bias) {
                *x = gelu::<V>(*x + *bias);
            }
        }
    }
}

/// Each row becomes the normalised sum of itself, an update and a bias.
pub(super) struct AddAndNorm<'a> {
    /// Rows as long as the norm's gain.
    pub(super) rows: &'a mut [f32],
    /// Shaped like `rows`.
    pub(super) update: &'a [f32],
    /// As long as one row.
    pub(super) bias: &'a [f32],
    pub(super) norm: &'a Norm,
}

impl Work for AddAndNorm<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Norm { gain, shift, epsilon } = self.norm;
        let width = gain.len();
        for (row, update) in self.rows.chunks_exact_mut(width).zip(self.update.chunks_exact(width))
        {
            for ((x, update), bias) in row.iter_mut().zip(update).zip(self.bias) {
                *x += *update + *bias;
            }
            let mean = sum::<V, false>(row, 0.0) / width as f32;
            let variance = sum::<V, true>(row, mean) / width as f32;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for ((x, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
                *x = V::mul_add((*x - mean) * scale, *gain, *shift);
            }
        }
    }
}

/// The sum of the row less `mean`, or of the squares of that.
#[inline(always)]
fn sum<V: Vector, const SQUARED: bool>(row: &[f32], mean: f32) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in whole {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            let x = x - mean;
            *sum = if SQUARED { V::mul_add(x, x, *sum) } else { *sum + x };
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        let x = x - mean;
        *sum += if SQUARED { x * x } else { x };
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::Isa;

    /// Numbers from -`bound` to `bound`.
    fn numbers(bound: f32) -> Vec<f32> {
        (-5_000..=5_000).map(|i| i as f32 / 5_000.0 * bound).collect()
    }

    /// In f64, by the series of the integral of the normal density.
    fn exact_gelu(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        x * (0.5 + density * sum)
    }

    struct Exp<'a>(&'a mut [f32]);

    impl Work for Exp<'_> {
        #[inline(always)]
        fn run<V: Vector>(self) {
            for x in self.0 {
                *x = exp::<V>(*x);
            }
        }
    }

    #[test]
    fn exp_is_that_of_the_library() {
        for isa in Isa::all() {
            let mut found: Vec<f32> = numbers(80.0).iter().map(|x| -x.abs()).collect();
            let exact: Vec<f64> = found.iter().map(|x| f64::from(*x).exp()).collect();
            isa.run(Exp(&mut found));
            for (found, exact) in found.iter().zip(&exact) {
                assert!((f64::from(*found) / exact - 1.0).abs() < 2e-7, "{isa:?} {found} {exact}");
            }
            let mut ends = [0.0, -87.0, -1e9, f32::NEG_INFINITY];
            isa.run(Exp(&mut ends));
            assert!(ends[0] == 1.0 && ends[1] < 2e-38 && ends[2] == ends[1] && ends[3] == ends[1]);
        }
    }

    #[test]
    fn gelu_is_exact_to_the_last_bits() {
        for isa in Isa::all() {
            for bound in [0.1, 6.0, 8.0] {
                let mut found = numbers(bound);
                let exact: Vec<f64> =
                    found.iter().map(|x| exact_gelu(f64::from(*x - 0.25))).collect();
                isa.run(AddAndGelu { rows: &mut found, bias: &[-0.25] });
                for (found, exact) in found.iter().zip(&exact) {
                    let error = (f64::from(*found) - exact).abs();
                    assert!(error < 5e-8 + exact.abs() * 3e-7, "{isa:?} {found} {exact}");
                }
            }
            let mut ends = [-1e30, -100.0, 0.0, 100.0, 1e30];
            isa.run(AddAndGelu { rows: &mut ends, bias: &[0.0] });
            assert!(
                ends[0].abs() < 1e-6 && ends[1].abs() < 1e-6 && ends[2..] == [0.0, 100.0, 1e30],
                "{ends:?}"
            );
        }
    }

    #[test]
    fn a_normalised_row_follows_the_formula() {
        for width in [1, 16, 37] {
            let update: Vec<f32> = (0..2 * width).map(|i| (i * 7 % 11) as f32).collect();
            let bias: Vec<f32> = (0..width).map(|i| (i % 3) as f32).collect();
            let norm = Norm {
                gain: (0..width).map(|i| i as f32 - 2.0).collect(),
                shift: vec![0.5; width],
                epsilon: 1e-3,
            };
            for isa in Isa::all() {
                let mut rows = vec![3.0; 2 * width];
                isa.run(AddAndNorm { rows: &mut rows, update: &update, bias: &bias, norm: &norm });
                for (found, update) in rows.chunks_exact(width).zip(update.chunks_exact(width)) {
                    let x: Vec<f64> =
                        update.iter().zip(&bias).map(|(u, b)| f64::from(3.0 + u + b)).collect();
                    let mean = x.iter().sum::<f64>() / width as f64;
                    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
                    for ((found, x), gain) in found.iter().zip(&x).zip(&norm.gain) {
                        let exact = (x - mean) / (variance + 1e-3).sqrt() * f64::from(*gain) + 0.5;
                        assert!(
                            (f64::from(*found) - exact).abs() < 1e-4,
                            "{isa:?} {found} {exact}"
                        );
                    }
                }
            }
        }
    }
}
