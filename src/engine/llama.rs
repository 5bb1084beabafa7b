//! The llama architecture on the processor: one forward pass over rows of any sequences.
//!
//! Prefill and decode are the same here: every row brings its own sequence and position, and
//! within a layer all rows write their keys and values before any looks back. A row's logits are
//! the same to the bit whatever else is in the step, and whoever wrote the blocks it sees. What is
//! left out: scheduling, sampling and who gets which block (the model worker's).

mod kv_cache;
mod weights;

use std::path::Path;

use sn1_actors::ports::{BLOCK_TOKENS, EngineError, Placement, Row, SequenceId};

use self::kv_cache::{BlockTable, LayerCache, Placed};
use self::weights::Weights;
use super::EngineOptions;
use super::hyperparameters::{Hyperparameters, RopeLayout};
use super::kernels::{Attention, Past, RmsNorm, SiluTimes};
use super::load_error::LoadError;
use super::model_file::ModelFile;
use super::projection::Workshop;
use super::row_check::{Bounds, Extent, check_rows};
use super::thread_team::ThreadTeam;

/// Work on fewer rows than this is done by the caller alone: waking helpers would take longer.
const WORTH_SHARING: usize = 8;

/// A llama model with the memory of its sequences.
pub(super) struct Llama {
    sizes: Hyperparameters,
    weights: Weights,
    /// The angle, a position, by which each pair of a head is turned.
    rope_frequencies: Vec<f32>,
    layers: Vec<LayerCache>,
    table: BlockTable,
    shop: Workshop,
}

impl Llama {
    pub(super) fn load(path: &Path, options: EngineOptions) -> Result<Self, LoadError> {
        let read = || {
            let mut file = ModelFile::open(path)?;
            let sizes = file.hyperparameters()?;
            let weights = Weights::read(&mut file, &sizes, options.precision)?;
            Ok((sizes, weights))
        };
        let (sizes, weights) = read().map_err(|problem: super::LoadProblem| problem.at(path))?;
        let rope_frequencies = (0..sizes.rope_width / 2)
            .map(|i| 1.0 / sizes.rope_base.powf((2 * i) as f32 / sizes.rope_width as f32))
            .collect();
        let team = ThreadTeam::with_threads(options.threads);
        Ok(Self {
            weights,
            rope_frequencies,
            layers: kv_cache::layers(sizes.layers, sizes.kv_heads, options.kv_blocks),
            table: BlockTable::new(options.kv_blocks),
            sizes,
            shop: Workshop::new(team, options.precision),
        })
    }

    pub(super) fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        self.table.place(placement)
    }

    pub(super) fn release(&mut self, sequence: SequenceId) {
        self.table.release(sequence);
    }

    /// As [`sn1_actors::ports::StepEngine::step`]. A refused step changes nothing.
    pub(super) fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.check(rows)?;
        let logits = self.forward(rows);
        rows.iter().for_each(|row| self.table.advance(row.sequence));
        Ok(logits)
    }

    fn check(&self, rows: &[Row]) -> Result<(), EngineError> {
        let vocabulary = self.weights.embedding.outputs();
        check_rows(rows, &Bounds { vocabulary, context: self.sizes.context }, |sequence| {
            let placed = self.table.get(sequence)?;
            Some(Extent { length: placed.length, capacity: placed.capacity() })
        })
    }

    fn forward(&mut self, rows: &[Row]) -> Vec<Vec<f32>> {
        let Self { sizes, weights, shop, .. } = self;
        let (width, hidden, epsilon) = (sizes.width, sizes.hidden, sizes.epsilon);
        let step: Vec<Place<'_>> = rows
            .iter()
            .filter_map(|row| {
                let angles = self.rope_frequencies.iter().map(|f| row.position as f32 * f);
                Some(Place {
                    position: row.position as usize,
                    placed: self.table.get(row.sequence)?,
                    turns: angles.map(f32::sin_cos).collect(),
                })
            })
            .collect();
        let mut x = vec![0.0; rows.len() * width];
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(width)) {
            weights.embedding.copy_row(row.token as usize, x);
        }
        let mut normed = vec![0.0; rows.len() * width];
        let mut attended = vec![0.0; rows.len() * sizes.query_width()];
        let mut gated = vec![0.0; rows.len() * hidden];
        let (mut qkv, mut gate_up, mut update) = (Vec::new(), Vec::new(), Vec::new());
        for (layer, cache) in weights.layers.iter().zip(&mut self.layers) {
            add_and_norm(shop, &mut x, &update, &layer.attention_norm, epsilon, &mut normed);
            layer.qkv.multiply(shop, &normed, &mut qkv);
            put(shop, sizes, &step, &qkv, cache);
            attend(shop, sizes, &step, &qkv, cache, &mut attended);
            layer.attention_output.multiply(shop, &attended, &mut update);
            add_and_norm(shop, &mut x, &update, &layer.ffn_norm, epsilon, &mut normed);
            layer.gate_up.multiply(shop, &normed, &mut gate_up);
            gate(shop, &gate_up, hidden, &mut gated);
            layer.down.multiply(shop, &gated, &mut update);
        }
        add_and_norm(shop, &mut x, &update, &weights.output_norm, epsilon, &mut normed);
        let wanted =
            rows.iter().zip(normed.chunks_exact(width)).filter(|(row, _)| row.wants_logits);
        let wanted: Vec<f32> = wanted.flat_map(|(_, x)| x).copied().collect();
        let head = weights.head.as_ref().unwrap_or(&weights.embedding);
        let mut logits = Vec::new();
        head.multiply(shop, &wanted, &mut logits);
        logits.chunks_exact(head.outputs()).map(<[f32]>::to_vec).collect()
    }
}

/// Where a row of the step stands.
struct Place<'a> {
    position: usize,
    placed: &'a Placed,
    /// The angles by which the pairs of a head are turned, as sine and cosine.
    turns: Vec<(f32, f32)>,
}

/// On all threads where there is enough to do for them.
fn each<T: Send>(shop: &mut Workshop, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    if items.len() < WORTH_SHARING {
        items.iter_mut().enumerate().for_each(|(index, item)| work(index, item));
    } else {
        shop.team.for_each_item(items, work);
    }
}

/// `x` += `update`, if there is one; `normed` = the norm of `x`, row by row.
fn add_and_norm(
    shop: &mut Workshop,
    x: &mut [f32],
    update: &[f32],
    gain: &[f32],
    epsilon: f32,
    normed: &mut [f32],
) {
    let (isa, width) = (shop.isa, gain.len());
    let rows = x.chunks_exact_mut(width).zip(normed.chunks_exact_mut(width));
    each(shop, &mut rows.collect::<Vec<_>>(), |r, (x, normed)| {
        if let Some(update) = update.get(r * width..(r + 1) * width) {
            for (x, update) in x.iter_mut().zip(update) {
                *x += update;
            }
        }
        isa.run(RmsNorm { x, gain, epsilon, out: normed });
    });
}

/// `gated` = SiLU of the gates, times what they gate, row by row.
fn gate(shop: &mut Workshop, gate_up: &[f32], hidden: usize, gated: &mut [f32]) {
    let isa = shop.isa;
    each(shop, &mut gated.chunks_exact_mut(hidden).collect::<Vec<_>>(), |r, gated| {
        let (gate, up) = gate_up[r * 2 * hidden..][..2 * hidden].split_at(hidden);
        isa.run(SiluTimes { gate, up, out: gated });
    });
}

/// Writes all rows' keys and values.
fn put(
    shop: &mut Workshop,
    sizes: &Hyperparameters,
    step: &[Place<'_>],
    qkv: &[f32],
    cache: &mut LayerCache,
) {
    let (queries, kv, width) = (sizes.query_width(), sizes.kv_width(), sizes.head_width);
    let put_side = |index: usize, side: &mut kv_cache::Side| {
        let (head, is_key) = (index / 2, index.is_multiple_of(2));
        let mut key = vec![0.0; width];
        for (r, row) in step.iter().enumerate() {
            let first = r * (queries + 2 * kv) + queries + if is_key { 0 } else { kv };
            let new = &qkv[first + head * width..][..width];
            let (block, place) = row.placed.place(row.position);
            let block = &mut side.blocks[block];
            if block.is_empty() {
                block.resize(width * BLOCK_TOKENS, 0.0);
            }
            if is_key {
                key.copy_from_slice(new);
                rotate(&mut key, &row.turns, sizes.rope_layout);
                let places = block.iter_mut().skip(place).step_by(BLOCK_TOKENS);
                places.zip(&key).for_each(|(place, key)| *place = *key);
            } else {
                block[place * width..][..width].copy_from_slice(new);
            }
        }
    };
    if step.len() < WORTH_SHARING {
        cache.iter_mut().enumerate().for_each(|(index, side)| put_side(index, side));
    } else {
        shop.team.for_each_item(cache, put_side);
    }
}

/// Attention of all rows, each over its own sequence up to itself.
fn attend(
    shop: &mut Workshop,
    sizes: &Hyperparameters,
    step: &[Place<'_>],
    qkv: &[f32],
    cache: &LayerCache,
    attended: &mut [f32],
) {
    let (isa, width) = (shop.isa, sizes.head_width);
    let row_width = sizes.query_width() + 2 * sizes.kv_width();
    // The query heads that share keys and values lie side by side.
    let group_width = sizes.heads / sizes.kv_heads * width;
    shop.team.for_each_chunk(attended, group_width, |index, out| {
        let (r, head) = (index / sizes.kv_heads, index % sizes.kv_heads);
        let row = &step[r];
        let mut queries = qkv[r * row_width + head * group_width..][..group_width].to_vec();
        for query in queries.chunks_exact_mut(width) {
            rotate(query, &row.turns, sizes.rope_layout);
        }
        let length = row.position + 1;
        let past = Past {
            keys: &cache[2 * head].blocks,
            values: &cache[2 * head + 1].blocks,
            table: &row.placed.blocks,
            first: sizes.sliding_window.map_or(0, |window| length.saturating_sub(window)),
            length,
        };
        isa.run(Attention { queries: &queries, width, past, out });
    });
}

/// Turns the pairs of a head by their angles.
fn rotate(head: &mut [f32], turns: &[(f32, f32)], layout: RopeLayout) {
    let turn = |a: f32, b: f32, (sin, cos): (f32, f32)| (a * cos - b * sin, a * sin + b * cos);
    match layout {
        RopeLayout::Interleaved => {
            for (pair, angle) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
                (pair[0], pair[1]) = turn(pair[0], pair[1], *angle);
            }
        }
        RopeLayout::Halves => {
            let (first, second) = head[..2 * turns.len()].split_at_mut(turns.len());
            for ((a, b), angle) in first.iter_mut().zip(second).zip(turns) {
                (*a, *b) = turn(*a, *b, *angle);
            }
        }
    }
}
