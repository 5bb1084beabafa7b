//! What is done to each row or number by itself: norm, gate, quantisation.

use super::integer::{BLOCK, Grain};
use super::vector::{Vector, WHOLE};
use super::{LANES, Work};

/// `out` = `x` divided by its root mean square, times `gain`.
pub(in crate::engine) struct RmsNorm<'a> {
    pub(in crate::engine) x: &'a [f32],
    pub(in crate::engine) gain: &'a [f32],
    pub(in crate::engine) epsilon: f32,
    pub(in crate::engine) out: &'a mut [f32],
}

impl Work for RmsNorm<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { x, gain, epsilon, out } = self;
        let mut squares = [V::splat(0.0); 2];
        let (pairs, rest) = x.as_chunks::<{ 2 * LANES }>();
        for pair in pairs {
            for (squares, x) in squares.iter_mut().zip(pair.as_chunks::<LANES>().0) {
                let x = V::load(x);
                *squares = x.mul_add(x, *squares);
            }
        }
        let mut lanes = [0.0; LANES];
        squares[0].add(squares[1]).store(&mut lanes);
        let mut sum = 0.0;
        for square in lanes {
            sum += square;
        }
        for x in rest {
            sum += x * x;
        }
        let scale = 1.0 / (sum / x.len() as f32 + epsilon).sqrt();
        for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
            *out = x * scale * gain;
        }
    }
}

/// `out` = SiLU of `gate`, times `up`.
pub(in crate::engine) struct SiluTimes<'a> {
    pub(in crate::engine) gate: &'a [f32],
    pub(in crate::engine) up: &'a [f32],
    pub(in crate::engine) out: &'a mut [f32],
}

impl Work for SiluTimes<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { gate, up, out } = self;
        let (one, zero) = (V::splat(1.0), V::splat(0.0));
        for ((out, gate), up) in out.chunks_mut(LANES).zip(gate.chunks(LANES)).zip(up.chunks(LANES))
        {
            let (mut gates, mut ups) = ([0.0; LANES], [0.0; LANES]);
            gates[..gate.len()].copy_from_slice(gate);
            ups[..up.len()].copy_from_slice(up);
            let gate = V::load(&gates);
            let minus = gate.mul_add(V::splat(-1.0), zero);
            let silu = gate.divide(minus.exponential().add(one));
            silu.mul_add(V::load(&ups), zero).store(&mut gates);
            out.copy_from_slice(&gates[..out.len()]);
        }
    }
}

/// Writes a row of floats, whole blocks, into its panel; see [`super::integer::Panel`].
pub(in crate::engine) struct PanelRow<'a> {
    pub(in crate::engine) x: &'a [f32],
    pub(in crate::engine) grain: Grain,
    /// How many rows the panel has, and which of them this is.
    pub(in crate::engine) rows: usize,
    pub(in crate::engine) row: usize,
    pub(in crate::engine) words: &'a mut [u32],
    pub(in crate::engine) scales: &'a mut [f32],
    pub(in crate::engine) sums: &'a mut [f32],
}

impl Work for PanelRow<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { x, grain, rows, row, words, scales, sums } = self;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::Isa;
    use crate::engine::kernels::tests::numbers;

    #[test]
    fn norm_and_gate_follow_their_formulas() {
        for isa in Isa::all() {
            let mut out = [0.0; 2];
            isa.run(RmsNorm { x: &[3.0, 4.0], gain: &[1.0, 2.0], epsilon: 0.0, out: &mut out });
            let root = 12.5_f32.sqrt();
            assert!((out[0] - 3.0 / root).abs() < 1e-6 && (out[1] - 8.0 / root).abs() < 1e-6);
            let x = numbers(77);
            let square: f32 = x.iter().map(|x| x * x).sum();
            let mut normed = [0.0; 77];
            isa.run(RmsNorm { x: &x, gain: &[1.0; 77], epsilon: 0.5, out: &mut normed });
            for (x, normed) in x.iter().zip(normed) {
                assert!((x / (square / 77.0 + 0.5).sqrt() - normed).abs() < 1e-6);
            }
            isa.run(SiluTimes { gate: &[0.0, 1.0], up: &[5.0, 2.0], out: &mut out });
            assert!(out[0] == 0.0 && (out[1] - 1.462_117_2).abs() < 1e-6);
        }
    }
}
