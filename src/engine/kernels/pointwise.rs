//! What is done to each row or number by itself: norm, gate, quantisation.

use super::integer::{BLOCK, Grain};
use super::{Isa, PORTABLE_FMA, builds, mul_add};

/// Adding it moves a float's whole part into the low bits, rounded to even.
const WHOLE: f32 = 12_582_912.0;

/// `exp(x)` to some 2 units in the last place; 0 and infinity become the smallest and largest.
#[inline(always)]
pub(super) fn exponential<const FMA: bool>(x: f32) -> f32 {
    // exp(x) = 2^n * exp(r), |r| <= ln(2) / 2; ln(2) in two parts, the first with few bits.
    let x = x.clamp(-87.0, 88.0);
    let shifted = mul_add::<FMA>(x, std::f32::consts::LOG2_E, WHOLE);
    let n = shifted - WHOLE;
    let r = mul_add::<FMA>(n, -0.693_359_4, x);
    let r = mul_add::<FMA>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
        p = mul_add::<FMA>(p, r, c);
    }
    let p = mul_add::<FMA>(p, r * r, r + 1.0);
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

builds! {
    /// `out` = `x` divided by its root mean square, times `gain`.
    rms_norm = rms_norm_row(x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32])
}

#[inline(always)]
fn rms_norm_row<const FMA: bool>(x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    let mut sums = [0.0; BLOCK];
    let (blocks, rest) = x.as_chunks::<BLOCK>();
    for block in blocks {
        for i in 0..BLOCK {
            sums[i] = mul_add::<FMA>(block[i], block[i], sums[i]);
        }
    }
    let mut sum = 0.0;
    for part in sums {
        sum += part;
    }
    for x in rest {
        sum = mul_add::<FMA>(*x, *x, sum);
    }
    let scale = 1.0 / (sum / x.len() as f32 + epsilon).sqrt();
    for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
        *out = x * scale * gain;
    }
}

builds! {
    /// `out` = SiLU of `gate`, times `up`.
    silu_times = silu_times_row(gate: &[f32], up: &[f32], out: &mut [f32])
}

#[inline(always)]
fn silu_times_row<const FMA: bool>(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
        *out = gate / (1.0 + exponential::<FMA>(-gate)) * up;
    }
}

/// Where one row of a panel is written; see [`super::integer::Panel`].
pub(in crate::engine) struct PanelRow<'a> {
    pub(in crate::engine) grain: Grain,
    /// How many rows the panel has, and which of them this is.
    pub(in crate::engine) rows: usize,
    pub(in crate::engine) row: usize,
    pub(in crate::engine) words: &'a mut [u32],
    pub(in crate::engine) scales: &'a mut [f32],
    pub(in crate::engine) sums: &'a mut [f32],
}

builds! {
    /// Writes a row of floats, whole blocks, into its panel.
    quantise = quantise_row(x: &[f32], into: PanelRow<'_>)
}

#[inline(always)]
fn quantise_row<const FMA: bool>(x: &[f32], into: PanelRow<'_>) {
    let PanelRow { grain, rows, row, words, scales, sums } = into;
    let most = match grain {
        Grain::Fine => 32_767.0,
        Grain::Coarse => 127.0,
    };
    let places = grain.words();
    for (b, block) in x.as_chunks::<BLOCK>().0.iter().enumerate() {
        let (mut largest, mut parts) = ([0.0_f32; 16], [0.0_f32; 16]);
        for i in 0..16 {
            largest[i] = block[i].abs().max(block[i + 16].abs());
            parts[i] = block[i] + block[i + 16];
        }
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                largest[i] = largest[i].max(largest[i + half]);
                parts[i] += parts[i + half];
            }
        }
        let inverse = if largest[0] > 0.0 { most / largest[0] } else { 0.0 };
        let mut whole = [0_u32; BLOCK];
        for i in 0..BLOCK {
            // Not fused, so that every build rounds alike.
            whole[i] = (block[i] * inverse + WHOLE).to_bits();
        }
        let words = &mut words[b * places * rows..][..places * rows];
        for (w, words) in words.chunks_exact_mut(rows).enumerate() {
            words[row] = match grain {
                Grain::Fine => whole[2 * w] & 0xffff | whole[2 * w + 1] << 16,
                Grain::Coarse => {
                    let i = w / 2 * 8 + w % 2 * 2;
                    let byte = |place: usize| whole[i + place] & 0xff;
                    byte(0) | byte(4) << 8 | byte(1) << 16 | byte(5) << 24
                }
            };
        }
        scales[b * rows + row] = largest[0] / most;
        sums[b * rows + row] = parts[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::tests::numbers;

    #[test]
    fn norm_and_gate_follow_their_formulas() {
        for isa in Isa::all() {
            let mut out = [0.0; 2];
            isa.rms_norm(&[3.0, 4.0], &[1.0, 2.0], 0.0, &mut out);
            let root = 12.5_f32.sqrt();
            assert!((out[0] - 3.0 / root).abs() < 1e-6 && (out[1] - 8.0 / root).abs() < 1e-6);
            let x = numbers(77);
            let square: f32 = x.iter().map(|x| x * x).sum();
            let mut normed = [0.0; 77];
            isa.rms_norm(&x, &[1.0; 77], 0.5, &mut normed);
            for (x, normed) in x.iter().zip(normed) {
                assert!((x / (square / 77.0 + 0.5).sqrt() - normed).abs() < 1e-6);
            }
            isa.silu_times(&[0.0, 1.0], &[5.0, 2.0], &mut out);
            assert!(out[0] == 0.0 && (out[1] - 1.462_117_2).abs() < 1e-6);
        }
    }

    #[test]
    fn the_exponential_is_exact_to_a_few_units() {
        for i in -8_700..8_800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            for found in [exponential::<true>(x), exponential::<false>(x)] {
                let error = (f64::from(found) - exact).abs() / exact;
                assert!(error < 3e-7, "exp({x}) = {found}");
            }
        }
        assert!(exponential::<true>(f32::NEG_INFINITY) < 1e-37);
        assert!(exponential::<true>(f32::INFINITY).is_finite());
    }
}
