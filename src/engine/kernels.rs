//! The inner loops of the models on the processor, for the instruction sets it may have.
//!
//! Most loops are plain Rust that the compiler vectorises, compiled once for each set ([`builds`]);
//! those on quantised weights are written out ([`integer`]). The processor is asked once which set
//! to use. Sums run in an order that depends on nothing but the length, so a row's result is the
//! same to the bit in every batch and on every number of threads.

mod attention;
pub(super) mod integer;
mod pointwise;

pub(super) use attention::Past;
pub(super) use pointwise::PanelRow;

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
    /// x86-64 with AVX-512: F, BW, DQ, VL and VNNI, and all of AVX2's.
    Avx512,
    /// x86-64 with AVX2, FMA and half-precision conversion.
    Avx2,
    /// Whatever the program as a whole was compiled for.
    Portable,
}

impl Isa {
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            let large = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni");
            return if large { Self::Avx512 } else { Self::Avx2 };
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
            Self::Avx512 | Self::Avx2 => unsafe { multiply_tile_avx2(weights, rows, out) },
            _ => multiply_tile::<PORTABLE_FMA>(weights, rows, out),
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

/// Compiles a loop for every instruction set, as a method of [`Isa`]. The loop is an
/// `#[inline(always)]` function with a parameter that says whether to fuse multiplication and
/// addition.
macro_rules! builds {
    ($(#[$doc:meta])* $name:ident = $body:ident($($argument:ident: $type:ty),*)) => {
        impl Isa {
            $(#[$doc])*
            pub(in crate::engine) fn $name(self, $($argument: $type),*) {
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($argument: $type),*) {
                    $body::<true>($($argument),*);
                }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) {
                    $body::<true>($($argument),*);
                }
                match self {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: `detect` saw the extensions.
                    #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
                    Self::Avx512 => unsafe { avx512($($argument),*) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: `detect` saw the extensions.
                    #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
                    Self::Avx2 => unsafe { avx2($($argument),*) },
                    _ => $body::<PORTABLE_FMA>($($argument),*),
                }
            }
        }
    };
}
use builds;

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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    impl Isa {
        /// Every build that this processor can run.
        pub(in crate::engine) fn all() -> Vec<Self> {
            match Self::detect() {
                Self::Avx512 => vec![Self::Avx512, Self::Avx2, Self::Portable],
                Self::Avx2 => vec![Self::Avx2, Self::Portable],
                Self::Portable => vec![Self::Portable],
            }
        }
    }

    /// Numbers without a pattern that a mistake could share.
    pub(in crate::engine) fn numbers(count: usize) -> Vec<f32> {
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
}
