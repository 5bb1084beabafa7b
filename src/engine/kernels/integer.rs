//! Products of quantised weights with quantised rows: the loops in which a language model on the
//! processor spends its time.
//!
//! Weights lie in tiles of [`LANES`] outputs, inputs in blocks of [`BLOCK`] with a scale each; rows
//! lie in panels of up to [`MAX_PANEL`], each row with a scale a block too. Within a block sums are
//! whole numbers, hence exact in any order; between blocks every build adds the same floats in the
//! same order with fused multiply-adds. So a result is the same to the bit in every batch, on any
//! number of threads, and with every instruction set. [`super::super::packed`] lays out the data.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::{Isa, LANES};

/// Inputs that share a scale.
pub(in crate::engine) const BLOCK: usize = 32;
/// Rows that are multiplied together, at most.
pub(in crate::engine) const MAX_PANEL: usize = 12;
/// How far ahead weights are fetched where few rows share them, in [`Line`]s: 8 KiB.
const AHEAD: usize = 128;

/// A cache line of weights.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(in crate::engine) struct Line(pub(in crate::engine) [u8; 64]);

/// How the weights of a block are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Bits {
    /// 0 to 15, four lines a block: bits `4j..` of 16-bit lane `2r + e` of line `g` are output `r`'s
    /// weight for input `8g + 2j + e`. A weight's value is `scale * bits + minimum`.
    Four,
    /// -128 to 127, eight lines a block: byte `4r + [0, 2, 1, 3][i]` of line `g` is output `r`'s
    /// weight for input `4g + i`. A weight's value is `scale * byte`.
    Eight,
}

impl Bits {
    /// How many lines a block of a tile takes.
    pub(in crate::engine) fn lines(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// A number a lane and block: in half precision where that loses nothing.
#[derive(Clone, Copy)]
pub(in crate::engine) enum Scales<'a> {
    Half(&'a [[u16; LANES]]),
    Full(&'a [[f32; LANES]]),
}

impl Scales<'_> {
    fn len(self) -> usize {
        match self {
            Self::Half(scales) => scales.len(),
            Self::Full(scales) => scales.len(),
        }
    }
}

/// The weights of [`LANES`] outputs for all inputs.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Tile<'a> {
    pub(in crate::engine) bits: Bits,
    pub(in crate::engine) lines: &'a [Line],
    /// One a block.
    pub(in crate::engine) scales: Scales<'a>,
    /// One a block with four bits, none with eight.
    pub(in crate::engine) minima: Scales<'a>,
}

/// How a panel's rows are written, several numbers a word and one word a row, row beside row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Grain {
    /// 16 bits: two neighbouring inputs a word.
    Fine,
    /// 8 bits: four inputs a word, of each eight first 0, 4, 1, 5 and then 2, 6, 3, 7. For weights
    /// of four bits only.
    Coarse,
}

impl Grain {
    /// How many words a row takes for each block.
    pub(in crate::engine) fn words(self) -> usize {
        match self {
            Self::Fine => BLOCK / 2,
            Self::Coarse => BLOCK / 4,
        }
    }
}

/// Some rows, quantised.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Panel<'a> {
    pub(in crate::engine) grain: Grain,
    /// How many rows.
    pub(in crate::engine) rows: usize,
    pub(in crate::engine) words: &'a [u32],
    /// What a unit of the words stands for: one a block and row.
    pub(in crate::engine) scales: &'a [f32],
    /// The sum of a row's numbers in a block, before they were quantised.
    pub(in crate::engine) sums: &'a [f32],
}

/// A product of a tile with a panel: row by row.
pub(in crate::engine) type Products = [[f32; LANES]; MAX_PANEL];

impl Isa {
    /// The products of a tile's outputs with a panel's rows; rows beyond the panel's are left as
    /// they were.
    ///
    /// # Panics
    /// If the parts do not fit together.
    pub(in crate::engine) fn multiply_packed(
        self,
        tile: &Tile<'_>,
        panel: &Panel<'_>,
        out: &mut Products,
    ) {
        let blocks = tile.scales.len();
        let minima = if tile.bits == Bits::Four { blocks } else { 0 };
        assert!(
            (1..=MAX_PANEL).contains(&panel.rows)
                && tile.lines.len() == blocks * tile.bits.lines()
                && tile.minima.len() == minima
                && panel.words.len() == blocks * panel.grain.words() * panel.rows
                && panel.scales.len() == blocks * panel.rows
                && panel.sums.len() == blocks * panel.rows
                && (tile.bits == Bits::Four || panel.grain == Grain::Fine),
            "a tile of {blocks} blocks does not fit its panel"
        );
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` saw the extensions; the lengths were looked at above.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx512 => unsafe { avx512::multiply(tile, panel, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "calls code for an extension found at run time")]
            Self::Avx2 => unsafe { avx2::multiply(tile, panel, out) },
            _ => portable::multiply(tile, panel, out),
        }
    }

    /// How many rows a panel should have, so that the sums of all stay in registers.
    pub(in crate::engine) fn panel_rows(self) -> usize {
        match self {
            Self::Avx512 => MAX_PANEL,
            // Four would spill (measured on Zen 2).
            Self::Avx2 => 3,
            Self::Portable => 4,
        }
    }
}
