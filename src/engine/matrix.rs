//! A weight matrix in f32, laid out for the kernels: outputs in tiles of [`LANES`], within a tile
//! input after input, so that a product reads the weights once, straight ahead.

use super::kernels::{Isa, LANES, Lanes, PackedRows, Product, Target};
use super::thread_team::ThreadTeam;

/// Panels a thread should get of one product, so that a late thread leaves little undone.
const PANELS_PER_THREAD: usize = 4;

pub(super) struct Matrix {
    inputs: usize,
    outputs: usize,
    tiles: Vec<Lanes>,
}

impl Matrix {
    /// One matrix out of several that take the same input, one below the other. Each holds rows
    /// of `inputs` floats, one row an output.
    pub(super) fn stacked(inputs: usize, parts: &[Vec<f32>]) -> Self {
        let outputs = parts.iter().map(|part| part.len() / inputs).sum::<usize>();
        let mut tiles = vec![Lanes([0.0; LANES]); outputs.div_ceil(LANES) * inputs];
        let rows = parts.iter().flat_map(|part| part.chunks_exact(inputs));
        for (output, row) in rows.enumerate() {
            let tile = &mut tiles[output / LANES * inputs..][..inputs];
            for (lanes, weight) in tile.iter_mut().zip(row) {
                lanes.0[output % LANES] = *weight;
            }
        }
        Self { inputs, outputs, tiles }
    }

    /// How many numbers a product has.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The weights of one output.
    pub(super) fn copy_row(&self, output: usize, into: &mut [f32]) {
        let tile = &self.tiles[output / LANES * self.inputs..][..self.inputs];
        for (weight, lanes) in into.iter_mut().zip(tile) {
            *weight = lanes.0[output % LANES];
        }
    }

    /// The products with each row of `inputs` floats in `x`, one row of `outputs` floats each. A
    /// row's products are the same to the bit whatever the other rows and the number of threads.
    pub(super) fn multiply(&self, team: &mut ThreadTeam, isa: Isa, x: &[f32], out: &mut Vec<f32>) {
        let rows = PackedRows::pack(team, x, self.inputs);
        out.resize(x.len() / self.inputs * self.outputs, 0.0);
        let tiles = self.outputs.div_ceil(LANES);
        let per_panel = tiles.div_ceil(team.threads() * PANELS_PER_THREAD).max(1);
        team.for_each_panel(out, self.outputs, per_panel * LANES, |index, mut panel| {
            let tiles = self.tiles.chunks(per_panel * self.inputs).nth(index).unwrap_or_default();
            let target = Target { panel: &mut panel, first_row: 0 };
            isa.run(Product { tiles, inputs: self.inputs, target, rows: &rows });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacked_parts_give_their_products_one_after_the_other() {
        let (inputs, first, second) = (3, 21, 2);
        let weights = |output: usize, input: usize| (output * 31 + input * 7) as f32 % 11.0 - 5.0;
        let part = |outputs: std::ops::Range<usize>| -> Vec<f32> {
            outputs.flat_map(|o| (0..inputs).map(move |i| weights(o, i))).collect()
        };
        let matrix = Matrix::stacked(inputs, &[part(0..first), part(first..first + second)]);
        assert_eq!(matrix.outputs(), 23);
        let mut row = [0.0; 3];
        matrix.copy_row(22, &mut row);
        assert_eq!(row, [weights(22, 0), weights(22, 1), weights(22, 2)]);

        let x = [1.0, -2.0, 3.0, 0.5, 0.0, 4.0];
        let mut out = vec![7.0];
        matrix.multiply(&mut ThreadTeam::with_threads(None), Isa::detect(), &x, &mut out);
        let exact: Vec<f32> = (0..2 * 23)
            .map(|i| (0..inputs).map(|k| weights(i % 23, k) * x[i / 23 * inputs + k]).sum())
            .collect();
        assert_eq!(out, exact);
        matrix.multiply(&mut ThreadTeam::with_threads(None), Isa::detect(), &[], &mut out);
        assert!(out.is_empty());
    }
}
