//! What a loop over [`LANES`] sums is written in: arrays, which the compiler puts into registers
//! where the sums are few, and AVX-512's own registers, which it leaves unused for that many.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m512, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::{LANES, mul_add};

/// [`LANES`] numbers in registers.
pub(in crate::engine) trait Vector: Copy {
    /// How many rows' sums for one tile of outputs are kept in registers at a time: 4, 6 or 16.
    const MAX_ROWS: usize;
    /// Whether a product is added without rounding in between.
    const FUSED: bool;

    fn load(numbers: &[f32; LANES]) -> Self;

    fn store(self, numbers: &mut [f32; LANES]);

    /// `self + weights * number`.
    fn add_product(self, weights: Self, number: f32) -> Self;

    /// `a * b + c` as this build computes it.
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }
}

/// An array that the compiler vectorises.
#[derive(Clone, Copy)]
pub(super) struct Array<const FUSED: bool, const MAX_ROWS: usize>([f32; LANES]);

impl<const FUSED: bool, const MAX_ROWS: usize> Vector for Array<FUSED, MAX_ROWS> {
    const MAX_ROWS: usize = MAX_ROWS;
    const FUSED: bool = FUSED;

    #[inline(always)]
    fn load(numbers: &[f32; LANES]) -> Self {
        Self(*numbers)
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f32; LANES]) {
        *numbers = self.0;
    }

    #[inline(always)]
    fn add_product(mut self, weights: Self, number: f32) -> Self {
        for (sum, weight) in self.0.iter_mut().zip(&weights.0) {
            *sum = mul_add::<FUSED>(*weight, number, *sum);
        }
        self
    }
}

/// One register of AVX-512. Only [`super::Isa::Avx512`] may run loops in it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Wide(__m512);

#[cfg(target_arch = "x86_64")]
impl Vector for Wide {
    const MAX_ROWS: usize = 16;
    const FUSED: bool = true;

    #[inline(always)]
    fn load(numbers: &[f32; LANES]) -> Self {
        // SAFETY: there are 16 numbers, and the processor has AVX-512, as only its build runs this.
        #[expect(unsafe_code, reason = "an intrinsic")]
        Self(unsafe { _mm512_loadu_ps(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, numbers: &mut [f32; LANES]) {
        // SAFETY: there are 16 numbers, and the processor has AVX-512, as only its build runs this.
        #[expect(unsafe_code, reason = "an intrinsic")]
        unsafe {
            _mm512_storeu_ps(numbers.as_mut_ptr(), self.0);
        }
    }

    #[inline(always)]
    fn add_product(self, weights: Self, number: f32) -> Self {
        // SAFETY: the processor has AVX-512, as only its build runs this.
        #[expect(unsafe_code, reason = "an intrinsic")]
        Self(unsafe { _mm512_fmadd_ps(weights.0, _mm512_set1_ps(number), self.0) })
    }
}
