//! Products of many rows with one matrix: rows are interleaved first, so that the inner loop walks
//! straight ahead through both, and as many sums as there are registers for are kept in them.
//!
//! An output is one sum over the inputs in their order, whatever the size of the group, the block
//! or the panel that it is computed in. Used for matrices and for attention within an encoder.

use super::{LANES, Lanes, Vector, Work};
use crate::engine::thread_team::{Panel, ThreadTeam};

/// Rows that are interleaved: as many as the largest block computes together.
pub(in crate::engine) const GROUP: usize = LANES;
/// Inputs taken before the next group: a group's share of them fits into the innermost cache
/// beside the weights that pass through, and a panel's share of the weights into the second.
const DEPTH: usize = 384;

/// Rows of numbers, [`GROUP`] at a time side by side: first the first number of each row of a
/// group, then the second of each. The last group may be narrower.
pub(in crate::engine) struct PackedRows {
    rows: usize,
    inputs: usize,
    numbers: Vec<f32>,
}

/// Some rows in the form of [`PackedRows`], all in one group.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Group<'a> {
    /// How many rows count; what the group has beyond them is computed and dropped.
    pub(in crate::engine) rows: usize,
    /// Its width: how many rows lie side by side.
    pub(in crate::engine) stride: usize,
    /// `stride` numbers an input.
    pub(in crate::engine) numbers: &'a [f32],
}

/// Where the products of some rows go.
pub(in crate::engine) struct Target<'p, 'a> {
    /// As wide as there are outputs.
    pub(in crate::engine) panel: &'p mut Panel<'a>,
    /// The panel's row for the first row of the product.
    pub(in crate::engine) first_row: usize,
}

/// The product of rows with tiles of weights. What the target held before does not matter.
pub(in crate::engine) struct Product<'t, 'p, 'a> {
    /// One tile after the other, each of `inputs` [`Lanes`].
    pub(in crate::engine) tiles: &'t [Lanes],
    pub(in crate::engine) inputs: usize,
    pub(in crate::engine) target: Target<'p, 'a>,
    pub(in crate::engine) rows: &'t PackedRows,
}

/// As [`Product`], for rows that are one group.
pub(in crate::engine) struct GroupProduct<'t, 'p, 'a> {
    pub(in crate::engine) tiles: &'t [Lanes],
    pub(in crate::engine) group: Group<'t>,
    pub(in crate::engine) target: Target<'p, 'a>,
}

impl PackedRows {
    /// Interleaves the rows of `inputs` numbers in `x`.
    pub(in crate::engine) fn pack(team: &mut ThreadTeam, x: &[f32], inputs: usize) -> Self {
        let rows = x.len() / inputs.max(1);
        let whole = rows / GROUP * GROUP;
        let mut numbers = vec![0.0; (whole + width_for(rows - whole)) * inputs];
        team.for_each_chunk(&mut numbers, GROUP * inputs, |index, numbers| {
            let first = index * GROUP;
            let rows = &x[first * inputs..(first + GROUP).min(rows) * inputs];
            interleave(rows, inputs, numbers);
        });
        Self { rows, inputs, numbers }
    }

    /// Its groups in order.
    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        (0..self.rows).step_by(GROUP).zip(self.numbers.chunks(GROUP * self.inputs)).map(
            |(first, numbers)| Group {
                rows: GROUP.min(self.rows - first),
                stride: numbers.len() / self.inputs,
                numbers,
            },
        )
    }
}

/// The width of a group of so many rows: one that there are kernels for.
fn width_for(rows: usize) -> usize {
    match rows {
        0..=2 => rows,
        3..=4 => 4,
        5..=8 => 8,
        9..=12 => 12,
        _ => GROUP,
    }
}

/// Puts the rows of `inputs` numbers side by side. Four rows at a time, four numbers of each: so
/// they are moved four at a time.
fn interleave(rows: &[f32], inputs: usize, numbers: &mut [f32]) {
    let stride = numbers.len() / inputs;
    let rows: Vec<&[f32]> = rows.chunks_exact(inputs).collect();
    let (fours, rest) = if stride >= 4 { rows.as_chunks::<4>() } else { (&[][..], &rows[..]) };
    for (i, four) in fours.iter().enumerate() {
        let [a, b, c, d] = four.map(|row| row.as_chunks::<4>().0);
        let places = numbers.chunks_exact_mut(4 * stride);
        for ((((a, b), c), d), places) in a.iter().zip(b).zip(c).zip(d).zip(places) {
            for k in 0..4 {
                places[k * stride + 4 * i..][..4].copy_from_slice(&[a[k], b[k], c[k], d[k]]);
            }
        }
        for k in inputs / 4 * 4..inputs {
            for (r, row) in four.iter().enumerate() {
                numbers[k * stride + 4 * i + r] = row[k];
            }
        }
    }
    for (r, row) in rest.iter().enumerate() {
        let places = numbers[4 * fours.len() + r..].iter_mut().step_by(stride);
        for (place, number) in places.zip(*row) {
            *place = *number;
        }
    }
}

impl Work for Product<'_, '_, '_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { tiles, inputs, mut target, rows } = self;
        for first in (0..inputs).step_by(DEPTH) {
            let depth = first..inputs.min(first + DEPTH);
            let first_row = target.first_row;
            for group in rows.groups() {
                multiply_group::<V>(tiles, inputs, depth.clone(), group, &mut target);
                target.first_row += GROUP;
            }
            target.first_row = first_row;
        }
    }
}

impl Work for GroupProduct<'_, '_, '_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { tiles, group, mut target } = self;
        let inputs = group.numbers.len() / group.stride;
        multiply_group::<V>(tiles, inputs, 0..inputs, group, &mut target);
    }
}

/// One group's products, block after block of its rows.
#[inline(always)]
fn multiply_group<V: Vector>(
    tiles: &[Lanes],
    inputs: usize,
    depth: std::ops::Range<usize>,
    group: Group<'_>,
    target: &mut Target<'_, '_>,
) {
    let mut first = 0;
    while first < group.rows {
        let block = Block { tiles, inputs, depth: depth.clone(), group, first };
        // Wide groups as the registers allow; few rows with several tiles, since an addition must
        // wait for the one before it in the same sum.
        first += match group.stride - first {
            16.. if V::MAX_SUMS >= 16 => block.multiply::<V, 16, 1>(target),
            12.. if V::MAX_SUMS >= 12 => block.multiply::<V, 12, 1>(target),
            8.. if V::MAX_SUMS >= 8 => block.multiply::<V, 8, 1>(target),
            10.. | 6 if V::MAX_SUMS == 6 => block.multiply::<V, 6, 1>(target),
            4.. if V::MAX_SUMS >= 8 => block.multiply::<V, 4, 2>(target),
            4.. => block.multiply::<V, 4, 1>(target),
            2.. => block.multiply::<V, 2, 2>(target),
            _ => block.multiply::<V, 1, 4>(target),
        };
    }
}

/// Some rows of a group, some of their inputs.
struct Block<'t> {
    tiles: &'t [Lanes],
    inputs: usize,
    depth: std::ops::Range<usize>,
    group: Group<'t>,
    /// The first of the rows, in the group.
    first: usize,
}

impl Block<'_> {
    /// The products of `ROWS` rows, `TILES` tiles at a time. Returns `ROWS`.
    #[inline(always)]
    fn multiply<V: Vector, const ROWS: usize, const TILES: usize>(
        &self,
        target: &mut Target<'_, '_>,
    ) -> usize {
        let count = self.tiles.len() / self.inputs;
        let mut tile = 0;
        while tile + TILES <= count {
            self.multiply_tiles::<V, ROWS, TILES>(tile, target);
            tile += TILES;
        }
        while tile < count {
            self.multiply_tiles::<V, ROWS, 1>(tile, target);
            tile += 1;
        }
        ROWS
    }

    #[inline(always)]
    fn multiply_tiles<V: Vector, const ROWS: usize, const TILES: usize>(
        &self,
        first_tile: usize,
        target: &mut Target<'_, '_>,
    ) {
        let Self { depth, group, .. } = self;
        let used = ROWS.min(group.rows - self.first);
        let first_row = target.first_row + self.first;
        let columns = first_tile * LANES..target.panel.width().min((first_tile + TILES) * LANES);
        let mut sums = [[[0.0; LANES]; TILES]; ROWS];
        if depth.start > 0 {
            for (r, sums) in sums[..used].iter_mut().enumerate() {
                let row = &target.panel.row(first_row + r)[columns.clone()];
                copy_lanes(row, sums.as_flattened_mut());
            }
        }
        let weights = std::array::from_fn(|t| {
            &self.tiles[(first_tile + t) * self.inputs..][..self.inputs][depth.clone()]
        });
        let numbers = &group.numbers[depth.start * group.stride..depth.end * group.stride];
        add_products::<V, ROWS, TILES>(weights, numbers, group.stride, self.first, &mut sums);
        for (r, sums) in sums[..used].iter().enumerate() {
            copy_lanes(sums.as_flattened(), &mut target.panel.row(first_row + r)[columns.clone()]);
        }
    }
}

/// Copies as much as both hold, tile by tile: a copy of unknown length is a call.
#[inline(always)]
fn copy_lanes(from: &[f32], to: &mut [f32]) {
    for (from, to) in from.chunks(LANES).zip(to.chunks_mut(LANES)) {
        if let (Some(from), Some(to)) = (from.first_chunk(), to.first_chunk_mut::<LANES>()) {
            *to = *from;
        } else {
            for (from, to) in from.iter().zip(to) {
                *to = *from;
            }
        }
    }
}

/// Adds to each sum the products of a row, `first` and those after it in a group `stride` wide,
/// with a tile.
#[inline(always)]
fn add_products<V: Vector, const ROWS: usize, const TILES: usize>(
    weights: [&[Lanes]; TILES],
    numbers: &[f32],
    stride: usize,
    first: usize,
    sums: &mut [[[f32; LANES]; TILES]; ROWS],
) {
    let mut kept = [[V::load(&sums[0][0]); TILES]; ROWS];
    for (kept, sums) in kept.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
        *kept = V::load(sums);
    }
    for (k, numbers) in numbers.chunks_exact(stride).enumerate() {
        let Some(numbers) = numbers[first..].first_chunk::<ROWS>() else { break };
        for (t, tile) in weights.iter().enumerate() {
            let weights = V::load(&tile[k].0);
            for (kept, number) in kept.iter_mut().zip(numbers) {
                kept[t] = kept[t].add_product(weights, *number);
            }
        }
    }
    for (kept, sums) in kept.as_flattened().iter().zip(sums.as_flattened_mut()) {
        kept.store(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::Isa;
    use crate::engine::kernels::tests::numbers;

    fn tiles(inputs: usize, count: usize) -> Vec<Lanes> {
        let numbers = numbers(inputs * count * LANES);
        numbers.as_chunks::<LANES>().0.iter().map(|lanes| Lanes(*lanes)).collect()
    }

    /// `outputs` of each row's products.
    fn product(isa: Isa, tiles: &[Lanes], inputs: usize, x: &[f32], outputs: usize) -> Vec<f32> {
        let mut team = ThreadTeam::with_threads(Some(1));
        let rows = PackedRows::pack(&mut team, x, inputs);
        let mut out = vec![f32::NAN; x.len() / inputs * outputs];
        let mut panel = Panel::whole(&mut out, outputs);
        let target = Target { panel: &mut panel, first_row: 0 };
        isa.run(Product { tiles, inputs, target, rows: &rows });
        out
    }

    #[test]
    fn every_build_gives_the_products_of_any_number_of_rows() {
        for (inputs, tile_count, outputs) in [(1, 1, 16), (5, 3, 37), (64, 5, 80), (900, 2, 20)] {
            let tiles = tiles(inputs, tile_count);
            for count in 0..=40 {
                let x = numbers(inputs * count);
                for isa in Isa::all() {
                    let out = product(isa, &tiles, inputs, &x, outputs);
                    for (place, found) in out.iter().enumerate() {
                        let (row, output) = (place / outputs, place % outputs);
                        let tile = &tiles[output / LANES * inputs..];
                        let exact: f64 = (0..inputs)
                            .map(|k| {
                                let weight = f64::from(tile[k].0[output % LANES]);
                                weight * f64::from(x[row * inputs + k])
                            })
                            .sum();
                        let error = (exact - f64::from(*found)).abs();
                        assert!(error < 1e-5 * inputs as f64, "{isa:?} {inputs} {count}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_products_in_every_batch_and_every_fused_build() {
        let (inputs, outputs) = (DEPTH * 2 + 7, 5 * LANES - 3);
        let tiles = tiles(inputs, 5);
        let x = numbers(inputs * 37);
        for isa in Isa::all() {
            let together = product(isa, &tiles, inputs, &x, outputs);
            for count in 1..=17 {
                let first = 37 - count;
                let apart = product(isa, &tiles, inputs, &x[first * inputs..], outputs);
                assert_eq!(apart, together[first * outputs..], "{isa:?} {count}");
            }
            if isa != Isa::Portable {
                assert_eq!(together, product(Isa::Avx2, &tiles, inputs, &x, outputs));
            }
        }
    }
}
