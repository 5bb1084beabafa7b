//! Attention of one head within each of several texts, all positions to all.
//!
//! Queries are taken [`LANES`] at a time as the lanes of a tile, so that a position's scores for
//! all of them lie side by side: the softmax runs along the text, lane by lane, and what it leaves
//! is already interleaved as the product with the values wants its rows.

use std::ops::Range;

use crate::engine::kernels::{GROUP, Group, GroupProduct, LANES, Lanes, Target, Vector, Work};
use crate::engine::thread_team::Panel;

/// The attention of one head.
pub(super) struct HeadAttention<'a> {
    /// A row a token: all heads' queries, then keys, then values; `bias` is yet to be added.
    pub(super) qkv: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) head: usize,
    pub(super) head_width: usize,
    /// The rows of each text.
    pub(super) texts: &'a [Range<usize>],
    /// The head's columns of the result.
    pub(super) out: Panel<'a>,
}

/// Which third of a row.
#[derive(Clone, Copy)]
enum Part {
    Query,
    Key,
    Value,
}

/// What is needed while a text is worked on.
#[derive(Default)]
struct Scratch {
    /// One tile: a query a lane.
    queries: Vec<Lanes>,
    /// Groups of [`GROUP`] keys, interleaved.
    keys: Vec<f32>,
    /// Tiles of the head's values: a position an input.
    values: Vec<Lanes>,
    /// A row a position: what each query's score makes of it.
    scores: Vec<f32>,
}

impl Work for HeadAttention<'_> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let mut scratch = Scratch::default();
        let longest = self.texts.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        scratch.queries.resize(self.head_width, Lanes([0.0; LANES]));
        scratch.keys.resize(longest.next_multiple_of(GROUP) * self.head_width, 0.0);
        scratch.scores.resize(longest * LANES, 0.0);
        for text in self.texts {
            self.take_keys(text.clone(), &mut scratch.keys);
            self.take_values(text.clone(), &mut scratch.values);
            for first in text.clone().step_by(LANES) {
                let queries = first..text.end.min(first + LANES);
                self.attend::<V>(queries, text.len(), &mut scratch);
            }
        }
    }
}

impl HeadAttention<'_> {
    /// The head's part of a row, and of the bias.
    #[inline(always)]
    fn part(&self, row: usize, part: Part) -> (&[f32], &[f32]) {
        let width = self.bias.len() / 3;
        let first = part as usize * width + self.head * self.head_width;
        let row = &self.qkv[row * self.bias.len()..][..self.bias.len()];
        (&row[first..][..self.head_width], &self.bias[first..][..self.head_width])
    }

    #[inline(always)]
    fn take_keys(&self, text: Range<usize>, keys: &mut [f32]) {
        for (position, row) in text.enumerate() {
            let group = &mut keys[position / GROUP * GROUP * self.head_width..];
            let places = group[position % GROUP..].iter_mut().step_by(GROUP);
            let (key, bias) = self.part(row, Part::Key);
            for ((place, x), bias) in places.zip(key).zip(bias) {
                *place = *x + *bias;
            }
        }
    }

    #[inline(always)]
    fn take_values(&self, text: Range<usize>, values: &mut Vec<Lanes>) {
        values.clear();
        values.resize(self.head_width.div_ceil(LANES) * text.len(), Lanes([0.0; LANES]));
        for (t, tile) in values.chunks_exact_mut(text.len()).enumerate() {
            for (row, lanes) in text.clone().zip(tile) {
                let (value, bias) = self.part(row, Part::Value);
                for ((lane, x), bias) in
                    lanes.0.iter_mut().zip(&value[t * LANES..]).zip(&bias[t * LANES..])
                {
                    *lane = *x + *bias;
                }
            }
        }
    }

    #[inline(always)]
    fn take_queries(&self, rows: Range<usize>, queries: &mut [Lanes]) {
        let scale = 1.0 / (self.head_width as f32).sqrt();
        queries.fill(Lanes([0.0; LANES]));
        for (lane, row) in rows.enumerate() {
            let (query, bias) = self.part(row, Part::Query);
            for ((lanes, x), bias) in queries.iter_mut().zip(query).zip(bias) {
                lanes.0[lane] = (*x + *bias) * scale;
            }
        }
    }

    /// The attention of at most [`LANES`] rows of a text of `length`, whose keys and values are in
    /// the scratch.
    #[inline(always)]
    fn attend<V: Vector>(&mut self, rows: Range<usize>, length: usize, scratch: &mut Scratch) {
        let Scratch { queries, keys, values, scores } = scratch;
        let scores = &mut scores[..length * LANES];
        self.take_queries(rows.clone(), queries);
        let mut panel = Panel::whole(scores, LANES);
        let groups = keys.chunks_exact(GROUP * self.head_width);
        for (first_row, numbers) in (0..length).step_by(GROUP).zip(groups) {
            let rows = GROUP.min(length - first_row);
            let group = Group { rows, stride: GROUP, numbers };
            let target = Target { panel: &mut panel, first_row };
            GroupProduct { tiles: queries, group, target }.run::<V>();
        }
        let sums = softmax::<V>(scores);
        let group = Group { rows: rows.len(), stride: LANES, numbers: scores };
        let target = Target { panel: &mut self.out, first_row: rows.start };
        GroupProduct { tiles: values, group, target }.run::<V>();
        for (row, sum) in rows.zip(sums) {
            for x in self.out.row(row) {
                *x /= sum;
            }
        }
    }
}

/// Makes each lane's scores into weights; they still have to be divided by what is returned.
#[inline(always)]
fn softmax<V: Vector>(scores: &mut [f32]) -> [f32; LANES] {
    let scores = scores.as_chunks_mut::<LANES>().0;
    let mut largest = [f32::NEG_INFINITY; LANES];
    for row in &*scores {
        for (largest, score) in largest.iter_mut().zip(row) {
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    let mut sums = [0.0; LANES];
    for row in scores {
        for (score, largest) in row.iter_mut().zip(&largest) {
            *score -= largest;
        }
        V::load(row).exponential().store(row);
        for (score, sum) in row.iter().zip(&mut sums) {
            *sum += score;
        }
    }
    sums
}
