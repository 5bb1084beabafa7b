//! The products in plain Rust: what the other builds are tested against.

use half::f16;

use super::super::LANES;
use super::{BLOCK, Bits, Grain, Panel, Products, Scales, Tile};

pub(super) fn multiply(tile: &Tile<'_>, panel: &Panel<'_>, out: &mut Products) {
    out[..panel.rows].fill([0.0; LANES]);
    let lines = tile.bits.lines();
    for (b, lines) in tile.lines.chunks_exact(lines).enumerate() {
        let mut weights = [[0; BLOCK]; LANES];
        for (lane, weights) in weights.iter_mut().enumerate() {
            for (input, weight) in weights.iter_mut().enumerate() {
                *weight = match tile.bits {
                    Bits::Four => {
                        let (g, j, e) = (input / 8, input % 8 / 2, input % 2);
                        i32::from(lines[g].0[4 * lane + 2 * e + j / 2] >> (j % 2 * 4) & 15)
                    }
                    Bits::Eight => {
                        let place = 4 * lane + [0, 2, 1, 3][input % 4];
                        i32::from(lines[input / 4].0[place].cast_signed())
                    }
                };
            }
        }
        for (row, out) in out.iter_mut().take(panel.rows).enumerate() {
            let inputs = inputs(panel, b, row);
            let place = b * panel.rows + row;
            let (unit, sum) = (panel.scales[place], panel.sums[place]);
            for (lane, out) in out.iter_mut().enumerate() {
                let dot: i32 = weights[lane].iter().zip(&inputs).map(|(w, x)| w * x).sum();
                *out = (dot as f32).mul_add(at(tile.scales, b, lane) * unit, *out);
                if tile.bits == Bits::Four {
                    *out = at(tile.minima, b, lane).mul_add(sum, *out);
                }
            }
        }
    }
}

fn at(scales: Scales<'_>, block: usize, lane: usize) -> f32 {
    match scales {
        Scales::Half(scales) => f16::from_bits(scales[block][lane]).to_f32(),
        Scales::Full(scales) => scales[block][lane],
    }
}

/// A row's whole numbers in a block, in order.
fn inputs(panel: &Panel<'_>, block: usize, row: usize) -> [i32; BLOCK] {
    let mut inputs = [0; BLOCK];
    let words = panel.grain.words();
    for (w, word) in (0..words).map(|w| (w, panel.words[(block * words + w) * panel.rows + row])) {
        let bytes = word.to_le_bytes();
        match panel.grain {
            Grain::Fine => {
                for (i, pair) in bytes.as_chunks::<2>().0.iter().enumerate() {
                    inputs[2 * w + i] = i32::from(i16::from_le_bytes(*pair));
                }
            }
            Grain::Coarse => {
                for (byte, place) in bytes.into_iter().zip([0, 4, 1, 5]) {
                    inputs[w / 2 * 8 + w % 2 * 2 + place] = i32::from(byte.cast_signed());
                }
            }
        }
    }
    inputs
}
