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
    const LN_2: (f32, f32) = (0.693_359_375, -2.121_944_4e-4);
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
    // so that the largest error of the whole is least.
    const COEFFICIENTS: [f32; 9] = [
        9.392_6e-7,
        -1.466_664_1e-5,
        6.679_133_4e-5,
        2.531_587_1e-4,
        -5.118_269_5e-3,
        3.655_915_3e-2,
        0.318_231_1,
        0.797_896_74,
        0.693_146_7,
    ];
    let t = if x < 0.0 { -x } else { x };
    let t = if t > 6.0 { 6.0 } else { t };
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
        for lane in 0..LANES {
            let x = chunk[lane] - mean;
            sums[lane] = if SQUARED { V::mul_add(x, x, sums[lane]) } else { sums[lane] + x };
        }
    }
    for (lane, x) in rest.iter().enumerate() {
        let x = x - mean;
        sums[lane] += if SQUARED { x * x } else { x };
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}
