//! The inner loops of the language model in f32, for AVX2 where the processor has it.
//!
//! Each loop is plain Rust that the compiler vectorises; it is compiled twice, and the processor
//! is asked once which to use. Sums run in an order that depends on nothing but the length, so a
//! row's result is the same to the bit in every batch and on every number of threads.

/// Outputs computed together: two AVX2 registers, one cache line.
pub(super) const LANES: usize = 16;
/// Rows computed together. AVX2 has registers for the sums of 6, but 4 are faster (measured).
const MAX_ROWS: usize = 4;

/// One weight for each of [`LANES`] outputs.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes(pub(super) [f32; LANES]);

/// Which build of the loops this processor can run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Isa {
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// Whatever the program as a whole was compiled for.
    Portable,
}

/// Where a query looks: one head's keys or values lie `stride` floats apart.
#[derive(Clone, Copy)]
pub(super) struct HeadCache<'a> {
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
    /// How many positions are looked at.
    pub(super) length: usize,
}

impl Isa {
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Self::Avx2;
        }
        Self::Portable
    }

    /// `out[row * LANES + lane]` = the row's product with the lane's weights. `rows` holds rows of
    /// `weights.len()` floats.
    pub(super) fn multiply_tile(self, weights: &[Lanes], rows: &[f32], out: &mut [f32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw AVX2 and FMA.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx2 => unsafe { multiply_tile_avx2(weights, rows, out) },
            _ => multiply_tile::<PORTABLE_FMA>(weights, rows, out),
        }
    }

    /// Attention of one query head over its cached positions; all heads are `query.len()` long.
    pub(super) fn attend(self, query: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw AVX2 and FMA.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx2 => unsafe { attend_avx2(query, cache, out) },
            _ => attend::<PORTABLE_FMA>(query, cache, out),
        }
    }
}

/// Without the instruction, a fused multiply-add is a slow library call.
const PORTABLE_FMA: bool = cfg!(target_arch = "aarch64");

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_tile_avx2(weights: &[Lanes], rows: &[f32], out: &mut [f32]) {
    multiply_tile::<true>(weights, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn attend_avx2(query: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    attend::<true>(query, cache, out);
}

#[inline(always)]
fn mul_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn multiply_tile<const FMA: bool>(weights: &[Lanes], rows: &[f32], out: &mut [f32]) {
    let (mut rows, mut out) = (rows, out);
    while !out.is_empty() {
        let left = out.len() / LANES;
        // Even groups: 6 rows are 3 and 3, not 4 and 2.
        let group = left.div_ceil(left.div_ceil(MAX_ROWS).max(1)).max(1);
        let (these, later) = rows.split_at(group * weights.len());
        let (sums, later_out) = std::mem::take(&mut out).split_at_mut(group * LANES);
        match group {
            1 => multiply_rows::<FMA, 1>(weights, these, sums),
            2 => multiply_rows::<FMA, 2>(weights, these, sums),
            3 => multiply_rows::<FMA, 3>(weights, these, sums),
            _ => multiply_rows::<FMA, MAX_ROWS>(weights, these, sums),
        }
        (rows, out) = (later, later_out);
    }
}

#[inline(always)]
fn multiply_rows<const FMA: bool, const ROWS: usize>(
    weights: &[Lanes],
    rows: &[f32],
    out: &mut [f32],
) {
    let length = weights.len();
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &rows[r * length..][..length]);
    let mut sums = [[0.0; LANES]; ROWS];
    for (k, weights) in weights.iter().enumerate() {
        for r in 0..ROWS {
            for (sum, weight) in sums[r].iter_mut().zip(&weights.0) {
                *sum = mul_add::<FMA>(*weight, rows[r][k], *sum);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(LANES).zip(&sums) {
        out.copy_from_slice(sums);
    }
}

#[inline(always)]
fn attend<const FMA: bool>(query: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
    let width = query.len();
    let scale = 1.0 / (width as f32).sqrt();
    let mut largest = f32::NEG_INFINITY;
    // A loop, because a closure would be compiled apart, without the extension.
    let mut weights = Vec::with_capacity(cache.length);
    for p in 0..cache.length {
        let score = dot::<FMA>(query, &cache.keys[p * cache.stride..][..width]) * scale;
        largest = largest.max(score);
        weights.push(score);
    }
    let mut sum = 0.0;
    for weight in &mut weights {
        *weight = (*weight - largest).exp();
        sum += *weight;
    }
    out.fill(0.0);
    for (p, weight) in weights.iter().enumerate() {
        let weight = weight / sum;
        let values = &cache.values[p * cache.stride..][..width];
        for (out, value) in out.iter_mut().zip(values) {
            *out = mul_add::<FMA>(weight, *value, *out);
        }
    }
}

#[inline(always)]
fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = mul_add::<FMA>(*a, *b, *sum);
        }
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        sums[0] = mul_add::<FMA>(*a, *b, sums[0]);
    }
    sums[0]
}

/// `out` = `x` divided by its root mean square, times `gain`.
pub(super) fn rms_norm(x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    let mean = dot::<PORTABLE_FMA>(x, x) / x.len() as f32;
    let scale = 1.0 / (mean + epsilon).sqrt();
    for ((out, x), gain) in out.iter_mut().zip(x).zip(gain) {
        *out = x * scale * gain;
    }
}

/// `out` = SiLU of `gate`, times `up`.
pub(super) fn silu_times(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
        *out = gate / (1.0 + (-gate).exp()) * up;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern that a mistake could share.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect()
    }

    #[test]
    fn a_tile_gives_products_alike_in_every_batch() {
        for length in [1, 5, 64] {
            let weights: Vec<Lanes> = (0..length)
                .map(|k| Lanes(std::array::from_fn(|lane| numbers(4096)[k * LANES + lane])))
                .collect();
            for isa in [Isa::detect(), Isa::Portable] {
                for count in 0..=20 {
                    let rows = numbers(count * length);
                    let mut out = vec![0.0; count * LANES];
                    isa.multiply_tile(&weights, &rows, &mut out);
                    for r in 0..count {
                        let row = &rows[r * length..][..length];
                        let mut alone = [0.0; LANES];
                        isa.multiply_tile(&weights, row, &mut alone);
                        assert_eq!(out[r * LANES..][..LANES], alone);
                        for (lane, alone) in alone.iter().enumerate() {
                            let exact: f64 = (0..length)
                                .map(|k| f64::from(weights[k].0[lane]) * f64::from(row[k]))
                                .sum();
                            assert!((exact - f64::from(*alone)).abs() < 1e-5);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn attention_weighs_values_by_softmax() {
        let (width, stride, length) = (20, 50, 7);
        let (query, keys, values) = (numbers(width), numbers(400), numbers(777));
        let cache = HeadCache { keys: &keys, values: &values[100..], stride, length };
        let scores: Vec<f64> = (0..length)
            .map(|p| {
                let products = query.iter().zip(&keys[p * stride..]);
                let dot: f64 = products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                (dot / (width as f64).sqrt()).exp()
            })
            .collect();
        let sum: f64 = scores.iter().sum();
        for isa in [Isa::detect(), Isa::Portable] {
            let mut out = vec![9.0; width];
            isa.attend(&query, cache, &mut out);
            for (i, out) in out.iter().enumerate() {
                let weighed = |p: usize| scores[p] / sum * f64::from(values[100 + p * stride + i]);
                let exact: f64 = (0..length).map(weighed).sum();
                assert!((exact - f64::from(*out)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn norm_and_gate_follow_their_formulas() {
        let mut out = [0.0; 2];
        rms_norm(&[3.0, 4.0], &[1.0, 2.0], 0.0, &mut out);
        let root = 12.5_f32.sqrt();
        assert!((out[0] - 3.0 / root).abs() < 1e-6 && (out[1] - 8.0 / root).abs() < 1e-6);
        silu_times(&[0.0, 1.0], &[5.0, 2.0], &mut out);
        assert!(out[0] == 0.0 && (out[1] - 1.462_117_2).abs() < 1e-6);
    }
}
