//! The products for AVX2 with FMA and half-precision conversion: half a tile at a time.
#![expect(unsafe_code, reason = "vector loads take pointers; lengths were looked at by the caller")]

use std::arch::x86_64::*;

use super::super::LANES;
use super::{AHEAD, Bits, Grain, Line, Panel, Products, Scales, Tile};

/// Outputs in a register.
const HALF: usize = LANES / 2;

/// # Safety
/// The processor has the extensions; tile and panel fit together.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn multiply(tile: &Tile<'_>, panel: &Panel<'_>, out: &mut Products) {
    // Sums of more rows than four do not fit into registers.
    let mut first = 0;
    while first < panel.rows {
        // SAFETY: the caller's; the rows are the panel's.
        unsafe {
            match panel.rows - first {
                1 => rows::<1>(tile, panel, first, out),
                2 | 4 => rows::<2>(tile, panel, first, out),
                _ => rows::<3>(tile, panel, first, out),
            }
        }
        first += match panel.rows - first {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn rows<const ROWS: usize>(
    tile: &Tile<'_>,
    panel: &Panel<'_>,
    first: usize,
    out: &mut Products,
) {
    let blocks = panel.scales.len() / panel.rows;
    for half in 0..2 {
        let mut totals = [_mm256_setzero_ps(); ROWS];
        for b in 0..blocks {
            // SAFETY: the caller's lengths: all that is read lies within block `b`.
            unsafe {
                let lines = tile.lines.as_ptr().add(b * tile.bits.lines());
                let words = panel.words.as_ptr().add(b * panel.grain.words() * panel.rows + first);
                if ROWS <= 2 && half == 0 {
                    for line in 0..tile.bits.lines() {
                        _mm_prefetch(lines.wrapping_add(AHEAD + line).cast(), _MM_HINT_T0);
                    }
                }
                let halves = lines.cast::<__m256i>().add(half);
                let sums = match (tile.bits, panel.grain) {
                    (Bits::Four, Grain::Fine) => four_fine::<ROWS>(halves, words, panel.rows),
                    (Bits::Four, Grain::Coarse) => four_coarse::<ROWS>(halves, words, panel.rows),
                    (Bits::Eight, _) => eight_fine::<ROWS>(halves, words, panel.rows),
                };
                let scale = at(tile.scales, b, half);
                for row in 0..ROWS {
                    let unit = panel.scales.as_ptr().add(b * panel.rows + first + row);
                    let unit = _mm256_mul_ps(scale, _mm256_set1_ps(*unit));
                    totals[row] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[row]), unit, totals[row]);
                }
                if tile.bits == Bits::Four {
                    let minimum = at(tile.minima, b, half);
                    for row in 0..ROWS {
                        let sum = panel.sums.as_ptr().add(b * panel.rows + first + row);
                        totals[row] = _mm256_fmadd_ps(minimum, _mm256_set1_ps(*sum), totals[row]);
                    }
                }
            }
        }
        for (row, total) in totals.into_iter().enumerate() {
            let out = &mut out[first + row][half * HALF..][..HALF];
            // SAFETY: eight floats.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr(), total) }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn at(scales: Scales<'_>, block: usize, half: usize) -> __m256 {
    // SAFETY: the caller's lengths.
    unsafe {
        match scales {
            Scales::Half(halves) => {
                let start = halves.as_ptr().add(block).cast::<u16>().add(half * HALF);
                _mm256_cvtph_ps(_mm_loadu_si128(start.cast()))
            }
            Scales::Full(floats) => {
                _mm256_loadu_ps(floats.as_ptr().add(block).cast::<f32>().add(half * HALF))
            }
        }
    }
}

/// A line's halves lie two registers apart.
const NEXT_LINE: usize = size_of::<Line>() / size_of::<__m256i>();

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn four_fine<const ROWS: usize>(
    halves: *const __m256i,
    words: *const u32,
    stride: usize,
) -> [__m256i; ROWS] {
    let mask = _mm256_set1_epi16(15);
    let mut sums = [_mm256_setzero_si256(); ROWS];
    for g in 0..4 {
        // SAFETY: four lines, sixteen words a row.
        unsafe {
            let bits = _mm256_load_si256(halves.add(g * NEXT_LINE));
            let weights = [
                _mm256_and_si256(bits, mask),
                _mm256_and_si256(_mm256_srli_epi16::<4>(bits), mask),
                _mm256_and_si256(_mm256_srli_epi16::<8>(bits), mask),
                _mm256_srli_epi16::<12>(bits),
            ];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let pair = word(words.add((4 * g + j) * stride + row));
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(weights, pair));
                }
            }
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn four_coarse<const ROWS: usize>(
    halves: *const __m256i,
    words: *const u32,
    stride: usize,
) -> [__m256i; ROWS] {
    let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let mut sums = [_mm256_setzero_si256(); ROWS];
    for g in 0..4 {
        // SAFETY: four lines, eight words a row.
        unsafe {
            let bits = _mm256_load_si256(halves.add(g * NEXT_LINE));
            let weights = [
                _mm256_and_si256(bits, mask),
                _mm256_and_si256(_mm256_srli_epi16::<4>(bits), mask),
            ];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let four = word(words.add((2 * g + j) * stride + row));
                    // Two products of 15 and 127 are far within 16 bits.
                    let pairs = _mm256_maddubs_epi16(weights, four);
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(pairs, ones));
                }
            }
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn eight_fine<const ROWS: usize>(
    halves: *const __m256i,
    words: *const u32,
    stride: usize,
) -> [__m256i; ROWS] {
    let mut sums = [_mm256_setzero_si256(); ROWS];
    for g in 0..8 {
        // SAFETY: eight lines, sixteen words a row.
        unsafe {
            let bytes = _mm256_load_si256(halves.add(g * NEXT_LINE));
            let low = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes));
            let weights = [low, _mm256_srai_epi16::<8>(bytes)];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let pair = word(words.add((2 * g + j) * stride + row));
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(weights, pair));
                }
            }
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn word(at: *const u32) -> __m256i {
    // SAFETY: the caller's.
    _mm256_set1_epi32(unsafe { *at }.cast_signed())
}
