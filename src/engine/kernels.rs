//! The inner loops of the models in f32, for AVX-512 or AVX2 where the processor has them.
//!
//! Each loop is built several times, and the processor is asked once which build to use. Sums run
//! in an order that depends on nothing but the length, so a row's result is the same to the bit in
//! every batch and on every number of threads.

mod product;
mod vector;

pub(super) use product::{GROUP, Group, GroupProduct, PackedRows, Product, Target};
use vector::Array;
pub(super) use vector::Vector;
#[cfg(target_arch = "x86_64")]
use vector::Wide;

/// Outputs computed together: one AVX-512 register, two of AVX2, one cache line.
pub(super) const LANES: usize = 16;

/// One weight for each of [`LANES`] outputs.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes(pub(super) [f32; LANES]);

/// Which build of the loops this processor can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isa {
    /// x86-64 with AVX-512 (F, VL, BW, DQ) and FMA.
    Avx512,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// Whatever the program as a whole was compiled for.
    Portable,
}

/// A loop that is built once for each [`Isa`]. `run` and all that it calls in its inner loops must
/// be `#[inline(always)]`, and no closures, or they are compiled without the extension.
pub(super) trait Work {
    fn run<V: Vector>(self);
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
        if is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
            {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// All builds that this processor can run.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        match Self::detect() {
            Self::Avx512 => vec![Self::Avx512, Self::Avx2, Self::Portable],
            Self::Avx2 => vec![Self::Avx2, Self::Portable],
            Self::Portable => vec![Self::Portable],
        }
    }

    /// Does the work in this build.
    pub(super) fn run(self, work: impl Work) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw the extensions.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx512 => unsafe { run_avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw AVX2 and FMA.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx2 => unsafe { run_avx2(work) },
            _ => work.run::<Array<PORTABLE_FMA, 4>>(),
        }
    }

    /// Attention of one query head over its cached positions; all heads are `query.len()` long.
    pub(super) fn attend(self, query: &[f32], cache: HeadCache<'_>, out: &mut [f32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw AVX2 and FMA.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx512 | Self::Avx2 => unsafe { attend_avx2(query, cache, out) },
            _ => attend::<PORTABLE_FMA>(query, cache, out),
        }
    }
}

/// Without the instruction, a fused multiply-add is a slow library call.
const PORTABLE_FMA: bool = cfg!(target_arch = "aarch64");

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
fn run_avx512(work: impl Work) {
    work.run::<Wide>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2(work: impl Work) {
    work.run::<Array<true, 6>>();
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
