//! The inner loops of the models on the processor, for the instruction sets it may have.
//!
//! Loops on floats are written once, over a [`Vector`], and built for each set; those on quantised
//! weights are written out ([`integer`]). The processor is asked once which set to use. Sums run in
//! an order that depends on nothing but the length, so a row's result is the same to the bit in
//! every batch and on every number of threads.

mod attention;
pub(super) mod integer;
mod pointwise;
mod product;
mod vector;

pub(super) use attention::{Attention, Past};
pub(super) use pointwise::{PanelRow, RmsNorm, SiluTimes};
pub(super) use product::{GROUP, Group, GroupProduct, PackedRows, Product, Target};
pub(super) use vector::Vector;

/// Outputs computed together: one AVX-512 register, two of AVX2, one cache line.
pub(super) const LANES: usize = 16;

/// One weight for each of [`LANES`] outputs.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes(pub(super) [f32; LANES]);

/// Which build of the loops this processor can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isa {
    /// x86-64 with AVX-512: F, BW, DQ, VL and VNNI, and all of AVX2's.
    Avx512,
    /// x86-64 with AVX2, FMA and half-precision conversion.
    Avx2,
    /// Whatever the program as a whole was compiled for.
    Portable,
}

/// A loop that is built once for each [`Isa`]. `run` and all that it calls in its inner loops must
/// be `#[inline(always)]`, and no closures, or they are compiled without the extension.
pub(super) trait Work {
    fn run<V: Vector>(self);
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
            // SAFETY: `detect` saw the extensions.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx2 => unsafe { run_avx2(work) },
            _ => work.run::<[f32; LANES]>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
fn run_avx512(work: impl Work) {
    work.run::<std::arch::x86_64::__m512>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2(work: impl Work) {
    work.run::<[std::arch::x86_64::__m256; 2]>();
}

#[cfg(test)]
pub(super) mod tests {
    /// Numbers without a pattern that a mistake could share.
    pub(in crate::engine) fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect()
    }
}
