//! Rows of floats, quantised and laid out for products with packed weights.

use super::super::kernels::integer::{BLOCK, Grain, Panel};
use super::super::kernels::{Isa, PanelRow};
use super::super::thread_team::ThreadTeam;

/// Fewer panels than this are written by the caller alone: waking helpers would take longer.
const WORTH_SHARING: usize = 2;

/// Some rows that are multiplied together.
#[derive(Default)]
struct Group {
    rows: usize,
    words: Vec<u32>,
    scales: Vec<f32>,
    sums: Vec<f32>,
}

/// The rows of a product's input. Its memory is used again by the next.
pub(in crate::engine) struct Panels {
    grain: Grain,
    groups: Vec<Group>,
    used: usize,
}

impl Panels {
    /// No rows yet.
    pub(in crate::engine) fn new(grain: Grain) -> Self {
        Self { grain, groups: Vec::new(), used: 0 }
    }

    /// Takes the place of what was there: rows of `width` floats, whole blocks.
    pub(in crate::engine) fn fill(
        &mut self,
        team: &mut ThreadTeam,
        isa: Isa,
        x: &[f32],
        width: usize,
    ) {
        let rows = x.len() / width;
        // Even groups: 9 rows are 5 and 4, not 8 and 1.
        self.used = rows.div_ceil(isa.panel_rows());
        if self.groups.len() < self.used {
            self.groups.resize_with(self.used, Group::default);
        }
        let (used, grain) = (self.used, self.grain);
        let groups = &mut self.groups[..used];
        let work = |number: usize, group: &mut Group| {
            let (start, end) = (number * rows / used, (number + 1) * rows / used);
            group.write(grain, isa, &x[start * width..end * width], width);
        };
        if used < WORTH_SHARING {
            groups.iter_mut().enumerate().for_each(|(number, group)| work(number, group));
        } else {
            team.for_each_item(groups, work);
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.groups[..self.used].iter().map(|group| group.rows).sum()
    }

    /// The rows, panel by panel.
    pub(super) fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        self.groups[..self.used].iter().map(|group| Panel {
            grain: self.grain,
            rows: group.rows,
            words: &group.words,
            scales: &group.scales,
            sums: &group.sums,
        })
    }
}

impl Group {
    fn write(&mut self, grain: Grain, isa: Isa, x: &[f32], width: usize) {
        let (rows, blocks) = (x.len() / width, width / BLOCK);
        self.rows = rows;
        self.words.resize(rows * blocks * grain.words(), 0);
        self.scales.resize(rows * blocks, 0.0);
        self.sums.resize(rows * blocks, 0.0);
        for (row, x) in x.chunks_exact(width).enumerate() {
            let Self { words, scales, sums, .. } = self;
            isa.run(PanelRow { x, grain, rows, row, words, scales, sums });
        }
    }
}
