//! A quantised weight matrix as the kernels want it: outputs in tiles of [`LANES`], inputs in
//! blocks of [`BLOCK`], so that a product reads the weights once, straight ahead.
//!
//! Weights keep the value that their file gives them: a quantised type is taken only where its
//! blocks become ours without loss. What is left out: types with finer scales, and floats; they
//! are [`super::matrix`]'s.

mod ggml;
mod panels;

pub(super) use panels::Panels;

use candle_core::quantized::GgmlDType;
use half::f16;

use super::kernels::integer::{BLOCK, Bits, Line, MAX_PANEL, Panel, Scales, Tile};
use super::kernels::{Isa, LANES};
use super::raw_tensor::RawTensor;
use super::thread_team::ThreadTeam;

/// Chunks a thread should get of one product, so that a late thread leaves little undone.
const CHUNKS_PER_THREAD: usize = 8;

/// A number for each lane and block, tile after tile.
enum Numbers {
    Half(Vec<[u16; LANES]>),
    Full(Vec<[f32; LANES]>),
}

/// The weights of a matrix.
pub(super) struct PackedMatrix {
    inputs: usize,
    outputs: usize,
    bits: Bits,
    lines: Vec<Line>,
    scales: Numbers,
    minima: Numbers,
}

/// How tensors of this type are packed; `None` if they cannot be.
pub(super) fn bits(tensor: &RawTensor) -> Option<Bits> {
    bits_of(tensor.dtype, &tensor.shape)
}

fn bits_of(dtype: GgmlDType, shape: &[usize]) -> Option<Bits> {
    match shape {
        [_, inputs] if inputs.is_multiple_of(BLOCK) => ggml::bits(dtype),
        _ => None,
    }
}

/// The bytes that a tensor of this type and shape takes when it is packed, without what fills its
/// last tile; `None` if it cannot be.
pub(super) fn bytes(dtype: GgmlDType, shape: &[usize]) -> Option<u64> {
    let bits = bits_of(dtype, shape)?;
    let blocks = shape.iter().product::<usize>() / BLOCK;
    let numbers = if bits == Bits::Four { 2 } else { 1 };
    // Those of Q4K are products, which half precision does not hold.
    let number = if dtype == GgmlDType::Q4K { size_of::<f32>() } else { size_of::<f16>() };
    let block = bits.lines() * size_of::<Line>() / LANES + numbers * number;
    Some((blocks as u64).saturating_mul(block as u64))
}

impl PackedMatrix {
    /// One matrix out of several that take the same input, one below the other; all are packed in
    /// the same way, as [`bits`] says.
    pub(super) fn stacked(inputs: usize, bits: Bits, parts: &[RawTensor]) -> Self {
        let blocks = inputs / BLOCK;
        let outputs = parts.iter().map(|part| part.shape[0]).sum::<usize>();
        let tiles = outputs.div_ceil(LANES);
        let mut lines = vec![Line([0; 64]); tiles * blocks * bits.lines()];
        let mut scales = vec![[0.0; LANES]; tiles * blocks];
        let mut minima = vec![[0.0; LANES]; if bits == Bits::Four { tiles * blocks } else { 0 }];
        let mut output = 0;
        for part in parts {
            ggml::each_block(part.dtype, &part.bytes, |number, block| {
                let (row, b) = (output + number / blocks, number % blocks);
                let (place, lane) = (row / LANES * blocks + b, row % LANES);
                scales[place][lane] = block.scale;
                if let Some(minima) = minima.get_mut(place) {
                    minima[lane] = block.minimum;
                }
                let lines = &mut lines[place * bits.lines()..][..bits.lines()];
                pack_block(bits, lane, &block.weights, lines);
            });
            output += part.shape[0];
        }
        Self { inputs, outputs, bits, lines, scales: numbers(scales), minima: numbers(minima) }
    }

    /// How its weights are written.
    pub(super) fn bits(&self) -> Bits {
        self.bits
    }

    /// How many numbers a product has.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The weights of one output.
    pub(super) fn copy_row(&self, output: usize, into: &mut [f32]) {
        let (tile, lane) = (self.tile(output / LANES), output % LANES);
        let lines = tile.lines.chunks_exact(self.bits.lines());
        for (b, (into, lines)) in into.chunks_exact_mut(BLOCK).zip(lines).enumerate() {
            let (scale, minimum) = match self.bits {
                Bits::Four => (number(tile.scales, b, lane), number(tile.minima, b, lane)),
                Bits::Eight => (number(tile.scales, b, lane), 0.0),
            };
            for (input, into) in into.iter_mut().enumerate() {
                let weight = unpack(self.bits, lane, input, lines);
                *into = f32::from(weight) * scale + minimum;
            }
        }
    }

    /// The products with each row of the panels, one row of `outputs` floats each.
    pub(super) fn multiply(
        &self,
        team: &mut ThreadTeam,
        isa: Isa,
        rows: &Panels,
        out: &mut Vec<f32>,
    ) {
        let count = rows.rows();
        out.resize(count * self.outputs, 0.0);
        let tiles = self.outputs.div_ceil(LANES);
        let per_chunk = tiles.div_ceil(team.threads() * CHUNKS_PER_THREAD).max(1);
        let width = per_chunk * LANES;
        let panels: Vec<Panel<'_>> = rows.panels().collect();
        team.for_each_panel(out, self.outputs, width, |chunk, mut out| {
            let mut products = [[0.0; LANES]; MAX_PANEL];
            for t in 0..per_chunk.min(tiles - chunk * per_chunk) {
                let tile = self.tile(chunk * per_chunk + t);
                let used = LANES.min(out.width() - t * LANES);
                let mut first = 0;
                for panel in &panels {
                    isa.multiply_packed(&tile, panel, &mut products);
                    for (row, products) in products.iter().take(panel.rows).enumerate() {
                        let out = &mut out.row(first + row)[t * LANES..][..used];
                        // A copy of known length is no call.
                        match out.first_chunk_mut::<LANES>() {
                            Some(out) => *out = *products,
                            None => out.copy_from_slice(&products[..used]),
                        }
                    }
                    first += panel.rows;
                }
            }
        });
    }

    fn tile(&self, tile: usize) -> Tile<'_> {
        let blocks = self.inputs / BLOCK;
        let lines = blocks * self.bits.lines();
        let minima = match self.bits {
            Bits::Four => self.minima.part(tile * blocks, blocks),
            Bits::Eight => self.minima.part(0, 0),
        };
        Tile {
            bits: self.bits,
            lines: &self.lines[tile * lines..][..lines],
            scales: self.scales.part(tile * blocks, blocks),
            minima,
        }
    }
}

impl Numbers {
    fn part(&self, start: usize, count: usize) -> Scales<'_> {
        match self {
            Self::Half(halves) => Scales::Half(&halves[start..][..count]),
            Self::Full(floats) => Scales::Full(&floats[start..][..count]),
        }
    }
}

/// In half precision if that loses nothing.
fn numbers(floats: Vec<[f32; LANES]>) -> Numbers {
    let is_half = |x: &f32| f16::from_f32(*x).to_f32().to_bits() == x.to_bits();
    if floats.iter().flatten().all(is_half) {
        let halves = floats.iter().map(|lanes| lanes.map(|x| f16::from_f32(x).to_bits()));
        return Numbers::Half(halves.collect());
    }
    Numbers::Full(floats)
}

fn number(scales: Scales<'_>, block: usize, lane: usize) -> f32 {
    match scales {
        Scales::Half(halves) => f16::from_bits(halves[block][lane]).to_f32(),
        Scales::Full(floats) => floats[block][lane],
    }
}

/// Which byte of which line holds the weight, and by how many bits it is shifted there.
fn place(bits: Bits, lane: usize, input: usize) -> (usize, usize, u32) {
    match bits {
        Bits::Four => {
            let (j, e) = (input % 8 / 2, input % 2);
            (input / 8, 4 * lane + 2 * e + j / 2, if j % 2 == 0 { 0 } else { 4 })
        }
        Bits::Eight => (input / 4, 4 * lane + [0, 2, 1, 3][input % 4], 0),
    }
}

fn pack_block(bits: Bits, lane: usize, weights: &[i16; BLOCK], lines: &mut [Line]) {
    for (input, weight) in weights.iter().enumerate() {
        let (line, byte, shift) = place(bits, lane, input);
        lines[line].0[byte] |= weight.to_le_bytes()[0] << shift;
    }
}

fn unpack(bits: Bits, lane: usize, input: usize, lines: &[Line]) -> i16 {
    let (line, byte, shift) = place(bits, lane, input);
    let byte = lines[line].0[byte];
    match bits {
        Bits::Four => i16::from(byte >> shift & 15),
        Bits::Eight => i16::from(byte.cast_signed()),
    }
}

#[cfg(test)]
mod tests;
