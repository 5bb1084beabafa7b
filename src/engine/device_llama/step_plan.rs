//! Where the rows of a step are computed and what each of them sees: plain numbers, no tensors.

use std::collections::HashMap;
use std::ops::Range;

use sn1_actors::ports::{BLOCK_TOKENS, Row, SequenceId};

use super::block_pool::NO_BLOCK;

/// Queries of one sequence that attend at once: it bounds the memory for their scores.
const MAX_QUERIES: usize = 256;

/// What the engine knows of a sequence.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    pub(super) blocks: Vec<u32>,
    /// How many positions are complete in all layers.
    pub(super) length: usize,
}

/// The rows of a step in the order in which they are computed: those that are not alone of their
/// sequence first, sequence by sequence.
#[derive(Debug)]
pub(super) struct StepPlan {
    /// Numbers of rows in the step.
    pub(super) order: Vec<usize>,
    /// Runs of the first rows, whose keys and values go to slots on end.
    pub(super) runs: Vec<Run>,
    /// Where the keys and values of the other rows go, one by one.
    pub(super) scattered: Vec<u32>,
    /// All rows in order, by what they attend to together.
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) rows: usize,
    pub(super) slot: usize,
}

/// Rows that attend at once: as many of each sequence, sequence after sequence.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    /// Places in the plan's order.
    pub(super) rows: Range<usize>,
    /// How many rows each sequence has.
    pub(super) queries: usize,
    pub(super) sequences: Vec<Span>,
}

/// What the rows of a piece see of one sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    /// The blocks that hold it.
    pub(super) blocks: Vec<u32>,
    /// Positions from the first block's start to the last row.
    pub(super) keys: usize,
}

impl StepPlan {
    /// `rows` have been checked: their sequences are known and their positions are next.
    pub(super) fn of(
        rows: &[Row],
        sequences: &HashMap<SequenceId, Sequence>,
        window: Option<usize>,
    ) -> Self {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut places: HashMap<SequenceId, usize> = HashMap::new();
        for (number, row) in rows.iter().enumerate() {
            let place = *places.entry(row.sequence).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(number);
        }
        let (many, single): (Vec<_>, Vec<_>) = groups.into_iter().partition(|g| g.len() > 1);
        let blocks = |row: usize| sequences[&rows[row].sequence].blocks.as_slice();
        let position = |row: usize| rows[row].position as usize;
        let slot = |row: usize| {
            let block = blocks(row)[position(row) / BLOCK_TOKENS] as usize;
            block * BLOCK_TOKENS + position(row) % BLOCK_TOKENS
        };
        let span = |first: usize, last: usize| {
            let unseen = window.map_or(0, |window| (position(first) + 1).saturating_sub(window));
            let (front, end) = (unseen / BLOCK_TOKENS, position(last) + 1);
            let blocks = blocks(last)[front..end.div_ceil(BLOCK_TOKENS)].to_vec();
            Span { blocks, keys: end - front * BLOCK_TOKENS }
        };

        let mut plan =
            Self { order: Vec::new(), runs: Vec::new(), scattered: Vec::new(), pieces: Vec::new() };
        for group in many {
            for run in group.chunk_by(|a, b| slot(*a) + 1 == slot(*b)) {
                plan.runs.push(Run { rows: run.len(), slot: slot(run[0]) });
            }
            for rows in group.chunks(MAX_QUERIES) {
                plan.push(rows, rows.len(), vec![span(rows[0], rows[rows.len() - 1])]);
            }
        }
        // Those of about the same length attend together, padded to the longest.
        let mut single: Vec<(usize, Span)> =
            single.into_iter().flatten().map(|row| (row, span(row, row))).collect();
        let size = |span: &Span| span.blocks.len().next_power_of_two();
        single.sort_by_key(|(_, span)| size(span));
        for alike in single.chunk_by(|(_, a), (_, b)| size(a) == size(b)) {
            let (rows, spans): (Vec<_>, Vec<_>) = alike.iter().cloned().unzip();
            plan.scattered.extend(rows.iter().map(|row| slot(*row) as u32));
            plan.push(&rows, 1, spans);
        }
        plan
    }

    fn push(&mut self, rows: &[usize], queries: usize, sequences: Vec<Span>) {
        let start = self.order.len();
        self.order.extend(rows);
        self.pieces.push(Piece { rows: start..self.order.len(), queries, sequences });
    }

    /// Where in the order the rows are whose logits are wanted, in the order of the step.
    pub(super) fn wanted(&self, rows: &[Row]) -> Vec<u32> {
        let mut wanted: Vec<(usize, u32)> = self.order.iter().copied().zip(0..).collect();
        wanted.retain(|(row, _)| rows[*row].wants_logits);
        wanted.sort_unstable();
        wanted.into_iter().map(|(_, place)| place).collect()
    }
}

impl Piece {
    /// Blocks of the sequence that has most.
    pub(super) fn width(&self) -> usize {
        self.sequences.iter().map(|span| span.blocks.len()).max().unwrap_or(0)
    }

    /// The blocks of all its sequences, `width` each; [`NO_BLOCK`] where a sequence has fewer.
    pub(super) fn blocks(&self) -> Vec<u32> {
        let width = self.width();
        let padded = |span: &Span| {
            span.blocks.clone().into_iter().chain(std::iter::repeat(NO_BLOCK)).take(width)
        };
        self.sequences.iter().flat_map(padded).collect::<Vec<u32>>()
    }

    /// What is added to the scores, `[sequences, queries, keys]`: 0 where a row sees a key.
    pub(super) fn mask(&self, window: Option<usize>) -> Vec<f32> {
        let keys = self.width() * BLOCK_TOKENS;
        let mut mask = Vec::with_capacity(self.rows.len() * keys);
        for span in &self.sequences {
            for query in span.keys - self.queries..span.keys {
                let first = window.map_or(0, |window| (query + 1).saturating_sub(window));
                let seen = |key| (first..=query).contains(&key);
                mask.extend((0..keys).map(|key| if seen(key) { 0.0 } else { f32::NEG_INFINITY }));
            }
        }
        mask
    }
}
