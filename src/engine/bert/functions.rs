//! What the encoder does to each row by itself: GELU and layer normalisation.

use super::weights::Norm;
use crate::engine::kernels::{LANES, Vector, Work};

/// `x` times the probability that a normal variable is below `x`: GELU in its exact form, to 2e-8
/// besides rounding.
#[inline(always)]
fn gelu<V: Vector>(x: V) -> V {
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
    let zero = V::splat(0.0);
    let minus_t = x.mul_add(V::splat(-1.0), zero).min(x);
    let mut logarithm = V::splat(-COEFFICIENTS[0]);
    for coefficient in &COEFFICIENTS[1..] {
        // A polynomial in t, times -1 throughout.
        let t = minus_t.mul_add(V::splat(-1.0), zero);
        logarithm = logarithm.mul_add(t, V::splat(-coefficient));
    }
    // Above zero x less its share of what lies below, else that share.
    minus_t.mul_add(logarithm.exponential(), x.max(zero))
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
        let (biases, last_bias) = self.bias.as_chunks::<LANES>();
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            let (row, last) = row.as_chunks_mut::<LANES>();
            for (x, bias) in row.iter_mut().zip(biases) {
                add_and_gelu::<V>(x, bias);
            }
            let (mut x, mut bias) = ([0.0; LANES], [0.0; LANES]);
            x[..last.len()].copy_from_slice(last);
            bias[..last.len()].copy_from_slice(last_bias);
            add_and_gelu::<V>(&mut x, &bias);
            last.copy_from_slice(&x[..last.len()]);
        }
    }
}

#[inline(always)]
fn add_and_gelu<V: Vector>(x: &mut [f32; LANES], bias: &[f32; LANES]) {
    gelu(V::load(x).add(V::load(bias))).store(x);
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
                *x = V::mul_add_one((*x - mean) * scale, *gain, *shift);
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
            *sum = if SQUARED { V::mul_add_one(x, x, *sum) } else { *sum + x };
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
