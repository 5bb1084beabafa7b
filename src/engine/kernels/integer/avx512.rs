//! The products for AVX-512 with VNNI: one instruction multiplies and adds two 16-bit or four
//! 8-bit numbers for each of 16 outputs.
#![expect(unsafe_code, reason = "vector loads take pointers; lengths were looked at by the caller")]

use std::arch::x86_64::*;

use super::super::LANES;
use super::{AHEAD, Bits, Grain, Line, Panel, Products, Scales, Tile};

/// # Safety
/// The processor has the extensions; tile and panel fit together.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
pub(super) unsafe fn multiply(tile: &Tile<'_>, panel: &Panel<'_>, out: &mut Products) {
    // SAFETY: the caller's.
    unsafe {
        match panel.rows {
            1 => rows::<1>(tile, panel, out),
            2 => rows::<2>(tile, panel, out),
            3 => rows::<3>(tile, panel, out),
            4 => rows::<4>(tile, panel, out),
            5 => rows::<5>(tile, panel, out),
            6 => rows::<6>(tile, panel, out),
            7 => rows::<7>(tile, panel, out),
            8 => rows::<8>(tile, panel, out),
            9 => rows::<9>(tile, panel, out),
            10 => rows::<10>(tile, panel, out),
            11 => rows::<11>(tile, panel, out),
            _ => rows::<12>(tile, panel, out),
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
unsafe fn rows<const ROWS: usize>(tile: &Tile<'_>, panel: &Panel<'_>, out: &mut Products) {
    let blocks = panel.scales.len() / ROWS;
    let mut totals = [_mm512_setzero_ps(); ROWS];
    for b in 0..blocks {
        // SAFETY: the caller's lengths: all that is read lies within block `b`.
        unsafe {
            let lines = tile.lines.as_ptr().add(b * tile.bits.lines());
            let words = panel.words.as_ptr().add(b * panel.grain.words() * ROWS);
            if ROWS <= 2 {
                for line in 0..tile.bits.lines() {
                    _mm_prefetch(lines.wrapping_add(AHEAD + line).cast(), _MM_HINT_T0);
                }
            }
            let sums = match (tile.bits, panel.grain) {
                (Bits::Four, Grain::Fine) => four_fine::<ROWS>(lines, words),
                (Bits::Four, Grain::Coarse) => four_coarse::<ROWS>(lines, words),
                (Bits::Eight, _) => eight_fine::<ROWS>(lines, words),
            };
            let scale = at(tile.scales, b);
            for row in 0..ROWS {
                let unit = _mm512_set1_ps(*panel.scales.as_ptr().add(b * ROWS + row));
                let dot = _mm512_cvtepi32_ps(sums[row]);
                totals[row] = _mm512_fmadd_ps(dot, _mm512_mul_ps(scale, unit), totals[row]);
            }
            if tile.bits == Bits::Four {
                let minimum = at(tile.minima, b);
                for row in 0..ROWS {
                    let sum = _mm512_set1_ps(*panel.sums.as_ptr().add(b * ROWS + row));
                    totals[row] = _mm512_fmadd_ps(minimum, sum, totals[row]);
                }
            }
        }
    }
    for (out, total) in out.iter_mut().zip(totals) {
        // SAFETY: sixteen floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), total) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
unsafe fn at(scales: Scales<'_>, block: usize) -> __m512 {
    const { assert!(LANES == 16) }
    // SAFETY: the caller's lengths.
    unsafe {
        match scales {
            Scales::Half(halves) => {
                _mm512_cvtph_ps(_mm256_loadu_si256(halves.as_ptr().add(block).cast()))
            }
            Scales::Full(floats) => _mm512_loadu_ps(floats.as_ptr().add(block).cast()),
        }
    }
}

/// Sums in chains of their own where there are too few rows to hide the instruction's latency.
const fn chains(rows: usize) -> usize {
    match rows {
        1 => 4,
        2 | 3 => 2,
        _ => 1,
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
unsafe fn four_fine<const ROWS: usize>(lines: *const Line, words: *const u32) -> [__m512i; ROWS] {
    let mask = _mm512_set1_epi16(15);
    let mut sums = [[_mm512_setzero_si512(); 4]; ROWS];
    for g in 0..4 {
        // SAFETY: four lines, sixteen words a row.
        unsafe {
            let bits = _mm512_load_si512(lines.add(g).cast());
            let weights = [
                _mm512_and_si512(bits, mask),
                _mm512_and_si512(_mm512_srli_epi16::<4>(bits), mask),
                _mm512_and_si512(_mm512_srli_epi16::<8>(bits), mask),
                _mm512_srli_epi16::<12>(bits),
            ];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let pair = word(words.add((4 * g + j) * ROWS + row));
                    let sum = &mut sums[row][j % chains(ROWS)];
                    *sum = _mm512_dpwssd_epi32(*sum, weights, pair);
                }
            }
        }
    }
    join(sums)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
unsafe fn four_coarse<const ROWS: usize>(lines: *const Line, words: *const u32) -> [__m512i; ROWS] {
    let mask = _mm512_set1_epi8(15);
    let mut sums = [[_mm512_setzero_si512(); 4]; ROWS];
    for g in 0..4 {
        // SAFETY: four lines, eight words a row.
        unsafe {
            let bits = _mm512_load_si512(lines.add(g).cast());
            let weights = [
                _mm512_and_si512(bits, mask),
                _mm512_and_si512(_mm512_srli_epi16::<4>(bits), mask),
            ];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let four = word(words.add((2 * g + j) * ROWS + row));
                    let sum = &mut sums[row][(2 * g + j) % chains(ROWS)];
                    *sum = _mm512_dpbusd_epi32(*sum, weights, four);
                }
            }
        }
    }
    join(sums)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c")]
unsafe fn eight_fine<const ROWS: usize>(lines: *const Line, words: *const u32) -> [__m512i; ROWS] {
    let mut sums = [[_mm512_setzero_si512(); 4]; ROWS];
    for g in 0..8 {
        // SAFETY: eight lines, sixteen words a row.
        unsafe {
            let bytes = _mm512_load_si512(lines.add(g).cast());
            let low = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(bytes));
            let weights = [low, _mm512_srai_epi16::<8>(bytes)];
            for (j, weights) in weights.into_iter().enumerate() {
                for row in 0..ROWS {
                    let pair = word(words.add((2 * g + j) * ROWS + row));
                    let sum = &mut sums[row][(2 * g + j) % chains(ROWS)];
                    *sum = _mm512_dpwssd_epi32(*sum, weights, pair);
                }
            }
        }
    }
    join(sums)
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn word(at: *const u32) -> __m512i {
    // SAFETY: the caller's.
    _mm512_set1_epi32(unsafe { *at }.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn join<const ROWS: usize>(sums: [[__m512i; 4]; ROWS]) -> [__m512i; ROWS] {
    sums.map(|chain| match chains(ROWS) {
        1 => chain[0],
        2 => _mm512_add_epi32(chain[0], chain[1]),
        _ => {
            let pairs =
                [_mm512_add_epi32(chain[0], chain[1]), _mm512_add_epi32(chain[2], chain[3])];
            _mm512_add_epi32(pairs[0], pairs[1])
        }
    })
}
