//! What loops over floats are written in: sixteen at a time, in the registers of each instruction
//! set.
#![expect(unsafe_code, reason = "intrinsics")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::LANES;

/// Adding it moves a float's whole part into the low bits, rounded to even.
pub(super) const WHOLE: f32 = 12_582_912.0;

/// Sixteen floats. Its methods may only be called, and then are inlined, where the instructions
/// are enabled.
pub(in crate::engine) trait Vector: Copy {
    /// How many vectors of sums a loop should keep: 4, 6 or 16.
    const MAX_SUMS: usize;
    /// Whether a product is added without rounding in between.
    const FUSED: bool;

    fn splat(x: f32) -> Self;
    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, into: &mut [f32; LANES]);
    /// `self * b + c`, rounded once where there is an instruction for it.
    fn mul_add(self, b: Self, c: Self) -> Self;
    fn add(self, b: Self) -> Self;
    fn divide(self, b: Self) -> Self;
    fn max(self, b: Self) -> Self;
    fn min(self, b: Self) -> Self;
    /// `2^n` of a whole number `n` to which [`WHOLE`] was added.
    fn power_of_two(self) -> Self;

    /// `self + weights * number`.
    #[inline(always)]
    fn add_product(self, weights: Self, number: f32) -> Self {
        weights.mul_add(Self::splat(number), self)
    }

    /// `a * b + c` of single numbers, as this build computes it.
    #[inline(always)]
    fn mul_add_one(a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }

    /// `exp(x)` to some 2 units in the last place, of -87 to 88; what lies beyond is taken for the
    /// nearest.
    #[inline(always)]
    fn exponential(self) -> Self {
        // exp(x) = 2^n * exp(r), |r| <= ln(2) / 2; ln(2) in two parts, the first with few bits.
        let x = self.max(Self::splat(-87.0)).min(Self::splat(88.0));
        let whole = x.mul_add(Self::splat(std::f32::consts::LOG2_E), Self::splat(WHOLE));
        let n = whole.add(Self::splat(-WHOLE));
        let r = n.mul_add(Self::splat(-0.693_359_4), x);
        let r = n.mul_add(Self::splat(2.121_944_4e-4), r);
        let mut p = Self::splat(1.987_569_1e-4);
        for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1] {
            p = p.mul_add(r, Self::splat(c));
        }
        let zero = Self::splat(0.0);
        let one_and_r = r.add(Self::splat(1.0));
        let p = p.mul_add(r.mul_add(r, zero), one_and_r);
        p.mul_add(whole.power_of_two(), zero)
    }
}

impl Vector for [f32; LANES] {
    const MAX_SUMS: usize = 4;
    // Without the instruction, a fused multiply-add is a slow library call.
    const FUSED: bool = cfg!(target_arch = "aarch64");

    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; LANES]
    }
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        *from
    }
    #[inline(always)]
    fn store(self, into: &mut [f32; LANES]) {
        *into = self;
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| Self::mul_add_one(self[i], b[i], c[i]))
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] + b[i])
    }
    #[inline(always)]
    fn divide(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] / b[i])
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i].max(b[i]))
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i].min(b[i]))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        self.map(|n| f32::from_bits((n.to_bits() << 23).wrapping_add(1.0_f32.to_bits())))
    }
}

/// One register of AVX-512.
#[cfg(target_arch = "x86_64")]
impl Vector for __m512 {
    const MAX_SUMS: usize = 16;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY, here and below: the caller's, by the trait.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, into: &mut [f32; LANES]) {
        unsafe { _mm512_storeu_ps(into.as_mut_ptr(), self) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { _mm512_fmadd_ps(self, b, c) }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        unsafe { _mm512_add_ps(self, b) }
    }
    #[inline(always)]
    fn divide(self, b: Self) -> Self {
        unsafe { _mm512_div_ps(self, b) }
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        unsafe { _mm512_max_ps(self, b) }
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        unsafe { _mm512_min_ps(self, b) }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        unsafe {
            let bits = _mm512_slli_epi32::<23>(_mm512_castps_si512(self));
            let one = _mm512_castps_si512(_mm512_set1_ps(1.0));
            _mm512_castsi512_ps(_mm512_add_epi32(bits, one))
        }
    }
}

/// Two registers of AVX2.
#[cfg(target_arch = "x86_64")]
impl Vector for [__m256; 2] {
    const MAX_SUMS: usize = 6;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY, here and below: the caller's, by the trait.
        unsafe { [_mm256_set1_ps(x); 2] }
    }
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn store(self, into: &mut [f32; LANES]) {
        unsafe {
            _mm256_storeu_ps(into.as_mut_ptr(), self[0]);
            _mm256_storeu_ps(into.as_mut_ptr().add(8), self[1]);
        }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { [_mm256_fmadd_ps(self[0], b[0], c[0]), _mm256_fmadd_ps(self[1], b[1], c[1])] }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        unsafe { [_mm256_add_ps(self[0], b[0]), _mm256_add_ps(self[1], b[1])] }
    }
    #[inline(always)]
    fn divide(self, b: Self) -> Self {
        unsafe { [_mm256_div_ps(self[0], b[0]), _mm256_div_ps(self[1], b[1])] }
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        unsafe { [_mm256_max_ps(self[0], b[0]), _mm256_max_ps(self[1], b[1])] }
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        unsafe { [_mm256_min_ps(self[0], b[0]), _mm256_min_ps(self[1], b[1])] }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        unsafe {
            let one = _mm256_castps_si256(_mm256_set1_ps(1.0));
            let power = |n: __m256| {
                let bits = _mm256_slli_epi32::<23>(_mm256_castps_si256(n));
                _mm256_castsi256_ps(_mm256_add_epi32(bits, one))
            };
            [power(self[0]), power(self[1])]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Isa, Work};
    use super::*;

    struct Exponentials<'a>(&'a mut [f32; LANES]);

    impl Work for Exponentials<'_> {
        #[inline(always)]
        fn run<V: Vector>(self) {
            V::load(self.0).exponential().store(self.0);
        }
    }

    #[test]
    fn the_exponential_is_exact_to_a_few_units() {
        for isa in Isa::all() {
            for start in -5_430..5_480 {
                let x: [f32; LANES] =
                    std::array::from_fn(|i| (start as f32 + i as f32 / 16.0) / 62.5);
                let mut found = x;
                isa.run(Exponentials(&mut found));
                for (x, found) in x.into_iter().zip(found) {
                    let exact = f64::from(x).exp();
                    assert!((f64::from(found) - exact).abs() / exact < 3e-7, "exp({x}) = {found}");
                }
            }
            let mut found = [f32::NEG_INFINITY; LANES];
            isa.run(Exponentials(&mut found));
            assert!(found[0] < 1e-37);
            let mut found = [f32::INFINITY; LANES];
            isa.run(Exponentials(&mut found));
            assert!(found[0].is_finite());
        }
    }
}
