//! The llama architecture in f32: one forward pass over rows of any sequences.
//!
//! Prefill and decode are the same here: every row brings its own sequence and position, and
//! within a layer all rows write their keys and values before any looks back. A row's logits are
//! the same to the bit whatever else is in the step. What is left out: scheduling and sampling
//! (the model worker's), and the bound on all sequences' memory together (its accounting's).

mod kv_cache;
mod weights;

use std::collections::HashMap;
use std::path::Path;

use sn1_actors::ports::{EngineError, Row, SequenceId};

use self::kv_cache::{KvCache, LayerCache};
use self::weights::Weights;
use super::hyperparameters::Hyperparameters;
use super::kernels::{HeadCache, Isa, rms_norm, silu_times};
use super::load_error::LoadError;
use super::matrix::Matrix;
use super::model_file::ModelFile;
use super::thread_team::ThreadTeam;

/// A llama model with the memory of its sequences.
pub(super) struct Llama {
    sizes: Hyperparameters,
    weights: Weights,
    /// The angle, a position, by which each pair of a head is turned.
    rope_frequencies: Vec<f32>,
    sequences: HashMap<SequenceId, KvCache>,
    team: ThreadTeam,
    isa: Isa,
}

impl Llama {
    pub(super) fn load(path: &Path) -> Result<Self, LoadError> {
        let read = || {
            let mut file = ModelFile::open(path)?;
            let sizes = file.hyperparameters()?;
            let weights = Weights::read(&mut file, &sizes)?;
            Ok((sizes, weights))
        };
        let (sizes, weights) = read().map_err(|problem: super::LoadProblem| problem.at(path))?;
        let rope_frequencies = (0..sizes.rope_width / 2)
            .map(|i| 1.0 / sizes.rope_base.powf((2 * i) as f32 / sizes.rope_width as f32))
            .collect();
        Ok(Self {
            sizes,
            weights,
            rope_frequencies,
            sequences: HashMap::new(),
            team: ThreadTeam::with_threads(None),
            isa: Isa::detect(),
        })
    }

    pub(super) fn release(&mut self, sequence: SequenceId) {
        self.sequences.remove(&sequence);
    }

    /// As [`sn1_actors::ports::StepEngine::step`]. A refused step changes nothing.
    pub(super) fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.check(rows)?;
        // The step's sequences, out of the map: should it panic, they are forgotten, not broken.
        let mut caches: Vec<KvCache> = Vec::new();
        let mut places: HashMap<SequenceId, usize> = HashMap::new();
        let slots: Vec<usize> = rows
            .iter()
            .map(|row| {
                *places.entry(row.sequence).or_insert_with(|| {
                    let known = self.sequences.remove(&row.sequence);
                    caches.push(known.unwrap_or_else(|| KvCache::new(self.sizes.layers)));
                    caches.len() - 1
                })
            })
            .collect();
        let logits = self.forward(rows, &slots, &mut caches);
        for slot in slots {
            caches[slot].length += 1;
        }
        let mut caches: Vec<Option<KvCache>> = caches.into_iter().map(Some).collect();
        for (sequence, slot) in places {
            if let Some(cache) = caches[slot].take() {
                self.sequences.insert(sequence, cache);
            }
        }
        Ok(logits)
    }

    fn check(&self, rows: &[Row]) -> Result<(), EngineError> {
        let vocabulary = self.weights.embedding.outputs();
        let mut lengths: HashMap<SequenceId, usize> = HashMap::new();
        for row in rows {
            let refuse = |cause: String| {
                let sequence = row.sequence.0;
                Err(EngineError::Request(format!("sequence {sequence}: {cause}")))
            };
            let known = || self.sequences.get(&row.sequence).map_or(0, |cache| cache.length);
            let next = lengths.entry(row.sequence).or_insert_with(known);
            if row.token as usize >= vocabulary {
                return refuse(format!(
                    "token {} is beyond the vocabulary of {vocabulary}",
                    row.token
                ));
            }
            if row.position as usize != *next {
                return refuse(format!(
                    "position {} was given where {next} is next; release it before it starts anew",
                    row.position
                ));
            }
            if *next >= self.sizes.context {
                return refuse(format!("the model's context of {next} tokens is full"));
            }
            *next += 1;
        }
        Ok(())
    }

    fn forward(&mut self, rows: &[Row], slots: &[usize], caches: &mut [KvCache]) -> Vec<Vec<f32>> {
        let Self { sizes, weights, team, isa, .. } = self;
        let (isa, width, hidden) = (*isa, sizes.width, sizes.hidden);
        let (queries, kv) = (sizes.query_width(), sizes.kv_width());
        let mut x = vec![0.0; rows.len() * width];
        for (row, x) in rows.iter().zip(x.chunks_exact_mut(width)) {
            weights.embedding.copy_row(row.token as usize, x);
        }
        let turns: Vec<Vec<(f32, f32)>> = rows
            .iter()
            .map(|row| {
                let angles = self.rope_frequencies.iter().map(|f| row.position as f32 * f);
                angles.map(f32::sin_cos).collect()
            })
            .collect();

        let mut normed = vec![0.0; rows.len() * width];
        let mut attended = vec![0.0; rows.len() * queries];
        let mut gated = vec![0.0; rows.len() * hidden];
        let (mut qkv, mut gate_up, mut update) = (Vec::new(), Vec::new(), Vec::new());
        for (number, layer) in weights.layers.iter().enumerate() {
            norm_rows(&x, &layer.attention_norm, sizes.epsilon, &mut normed);
            layer.qkv.multiply(team, isa, &normed, &mut qkv);
            for (r, qkv) in qkv.chunks_exact_mut(queries + 2 * kv).enumerate() {
                for head in qkv[..queries + kv].chunks_exact_mut(sizes.head_width) {
                    rotate(head, &turns[r]);
                }
                let (keys, values) = qkv[queries..].split_at(kv);
                caches[slots[r]].layers[number].put(rows[r].position as usize, keys, values);
            }
            let seen: Vec<&LayerCache> =
                slots.iter().map(|slot| &caches[*slot].layers[number]).collect();
            attend_rows(team, isa, sizes, rows, &qkv, &seen, &mut attended);
            layer.attention_output.multiply(team, isa, &attended, &mut update);
            add(&mut x, &update);

            norm_rows(&x, &layer.ffn_norm, sizes.epsilon, &mut normed);
            layer.gate_up.multiply(team, isa, &normed, &mut gate_up);
            team.for_each_chunk(&mut gated, hidden, |r, gated| {
                let (gate, up) = gate_up[r * 2 * hidden..][..2 * hidden].split_at(hidden);
                silu_times(gate, up, gated);
            });
            layer.down.multiply(team, isa, &gated, &mut update);
            add(&mut x, &update);
        }

        let wanted = rows.iter().zip(x.chunks_exact(width)).filter(|(row, _)| row.wants_logits);
        let wanted: Vec<f32> = wanted.flat_map(|(_, x)| x).copied().collect();
        let mut normed = vec![0.0; wanted.len()];
        norm_rows(&wanted, &weights.output_norm, sizes.epsilon, &mut normed);
        let head: &Matrix = weights.head.as_ref().unwrap_or(&weights.embedding);
        let mut logits = Vec::new();
        head.multiply(team, isa, &normed, &mut logits);
        logits.chunks_exact(head.outputs()).map(<[f32]>::to_vec).collect()
    }
}

/// Attention of all rows, each over its own sequence up to itself. `qkv` and `seen` have an entry
/// a row.
fn attend_rows(
    team: &mut ThreadTeam,
    isa: Isa,
    sizes: &Hyperparameters,
    rows: &[Row],
    qkv: &[f32],
    seen: &[&LayerCache],
    out: &mut [f32],
) {
    let (head_width, kv) = (sizes.head_width, sizes.kv_width());
    // The query heads that share keys and values lie side by side.
    let group_width = sizes.heads / sizes.kv_heads * head_width;
    team.for_each_chunk(out, group_width, |index, out| {
        let (r, kv_head) = (index / sizes.kv_heads, index % sizes.kv_heads);
        let first = r * (sizes.query_width() + 2 * kv) + kv_head * group_width;
        let cache = HeadCache {
            keys: &seen[r].keys[kv_head * head_width..],
            values: &seen[r].values[kv_head * head_width..],
            stride: kv,
            length: rows[r].position as usize + 1,
        };
        let queries = qkv[first..][..group_width].chunks_exact(head_width);
        for (query, out) in queries.zip(out.chunks_exact_mut(head_width)) {
            isa.attend(query, cache, out);
        }
    });
}

fn norm_rows(x: &[f32], gain: &[f32], epsilon: f32, out: &mut [f32]) {
    for (x, out) in x.chunks_exact(gain.len()).zip(out.chunks_exact_mut(gain.len())) {
        rms_norm(x, gain, epsilon, out);
    }
}

/// Turns each pair of neighbours by its angle, given as sine and cosine: GGUF files of this
/// architecture have the pairs interleaved.
fn rotate(head: &mut [f32], turns: &[(f32, f32)]) {
    for (pair, (sin, cos)) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
        *pair = [pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos];
    }
}

fn add(x: &mut [f32], update: &[f32]) {
    for (x, update) in x.iter_mut().zip(update) {
        *x += update;
    }
}
