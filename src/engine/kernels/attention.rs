//! Attention of the query heads that share a head of keys and values, over the blocks of a paged
//! cache.
//!
//! All blocks are looked at in order and whole, so a result depends on the past alone: not on the
//! batch, and not on where the blocks lie.

use sn1_actors::ports::{BLOCK_TOKENS, BlockId};

use super::vector::Vector;
use super::{LANES, Work};

/// Query heads that are looked at together: their sums fit into registers.
const MAX_HEADS: usize = 4;
/// Floats of a value that are summed together, and positions that are looked at together.
const PART: usize = 2 * LANES;

/// What a row sees: one head's keys and values, block by block.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Past<'a> {
    /// By block: for each float of a key, that float of all the block's positions.
    pub(in crate::engine) keys: &'a [Vec<f32>],
    /// By block: the value of each position.
    pub(in crate::engine) values: &'a [Vec<f32>],
    /// The sequence's blocks, in order.
    pub(in crate::engine) table: &'a [BlockId],
    /// The first position that is seen.
    pub(in crate::engine) first: usize,
    /// How many positions there are, the row's own included.
    pub(in crate::engine) length: usize,
}

/// The attention of queries that share a head of keys and values.
pub(in crate::engine) struct Attention<'a> {
    /// Heads one after the other, `width` floats each.
    pub(in crate::engine) queries: &'a [f32],
    pub(in crate::engine) width: usize,
    pub(in crate::engine) past: Past<'a>,
    /// Shaped like `queries`.
    pub(in crate::engine) out: &'a mut [f32],
}

impl Work for Attention<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { queries, width, past, out } = self;
        let groups = queries.chunks(MAX_HEADS * width).zip(out.chunks_mut(MAX_HEADS * width));
        for (queries, out) in groups {
            match queries.len() / width {
                1 => attend_heads::<V, 1>(queries, width, past, out),
                2 => attend_heads::<V, 2>(queries, width, past, out),
                3 => attend_heads::<V, 3>(queries, width, past, out),
                _ => attend_heads::<V, MAX_HEADS>(queries, width, past, out),
            }
        }
    }
}

/// For each head, a number a position of a block.
type OfBlock<const HEADS: usize> = [[[f32; LANES]; 2]; HEADS];

#[inline(always)]
fn attend_heads<V: Vector, const HEADS: usize>(
    queries: &[f32],
    width: usize,
    past: Past<'_>,
    out: &mut [f32],
) {
    const { assert!(PART == BLOCK_TOKENS) }
    let blocks = past.first / BLOCK_TOKENS..past.length.div_ceil(BLOCK_TOKENS);
    // Loops, because a closure would be compiled apart, without the extension.
    let mut weights: Vec<OfBlock<HEADS>> = Vec::with_capacity(blocks.len());
    let mut largest = [[V::splat(f32::NEG_INFINITY); 2]; HEADS];
    for block in blocks.clone() {
        let keys = &past.keys[past.table[block].0 as usize][..width * BLOCK_TOKENS];
        let mut scores = scores::<V, HEADS>(queries, width, keys);
        hide::<HEADS>(&mut scores, seen(past, block), f32::NEG_INFINITY);
        for head in 0..HEADS {
            for half in 0..2 {
                let scores = V::load(&scores[head][half]);
                largest[head][half] = largest[head][half].max(scores);
            }
        }
        weights.push(scores);
    }
    let mut shares = [0.0; HEADS];
    for head in 0..HEADS {
        let mut lanes = [0.0; LANES];
        largest[head][0].max(largest[head][1]).store(&mut lanes);
        let mut top = f32::NEG_INFINITY;
        for lane in lanes {
            top = top.max(lane);
        }
        shares[head] = top;
    }
    let mut sums = [[V::splat(0.0); 2]; HEADS];
    for (block, weights) in blocks.clone().zip(&mut weights) {
        for head in 0..HEADS {
            for weights in &mut weights[head] {
                let scores = V::load(weights);
                scores.add(V::splat(-shares[head])).exponential().store(weights);
            }
        }
        hide::<HEADS>(weights, seen(past, block), 0.0);
        for head in 0..HEADS {
            for half in 0..2 {
                sums[head][half] = sums[head][half].add(V::load(&weights[head][half]));
            }
        }
    }
    for head in 0..HEADS {
        let mut lanes = [0.0; LANES];
        sums[head][0].add(sums[head][1]).store(&mut lanes);
        let mut sum = 0.0;
        for lane in lanes {
            sum += lane;
        }
        shares[head] = 1.0 / sum;
    }
    let whole = width / PART * PART;
    for start in (0..whole).step_by(PART) {
        let mut parts = [[V::splat(0.0); 2]; HEADS];
        for (block, weights) in blocks.clone().zip(&weights) {
            let values = &past.values[past.table[block].0 as usize][..width * BLOCK_TOKENS];
            for place in seen(past, block) {
                let value = values[place * width + start..][..PART].as_chunks::<LANES>().0;
                let value = [V::load(&value[0]), V::load(&value[1])];
                for head in 0..HEADS {
                    let weight = V::splat(weights[head][place / LANES][place % LANES]);
                    for half in 0..2 {
                        parts[head][half] = value[half].mul_add(weight, parts[head][half]);
                    }
                }
            }
        }
        for head in 0..HEADS {
            let out = out[head * width + start..][..PART].as_chunks_mut::<LANES>().0;
            for half in 0..2 {
                let share = V::splat(shares[head]);
                parts[head][half].mul_add(share, V::splat(0.0)).store(&mut out[half]);
            }
        }
    }
    for head in 0..HEADS {
        for i in whole..width {
            let mut sum = 0.0;
            for (block, weights) in blocks.clone().zip(&weights) {
                let values = &past.values[past.table[block].0 as usize];
                for place in seen(past, block) {
                    let weight = weights[head][place / LANES][place % LANES];
                    sum += weight * values[place * width + i];
                }
            }
            out[head * width + i] = sum * shares[head];
        }
    }
}

/// The products of the queries with a block's keys, over the square root of the width.
#[inline(always)]
fn scores<V: Vector, const HEADS: usize>(
    queries: &[f32],
    width: usize,
    keys: &[f32],
) -> OfBlock<HEADS> {
    let mut sums = [[V::splat(0.0); 2]; HEADS];
    for (i, keys) in keys.as_chunks::<PART>().0.iter().enumerate() {
        let keys = keys.as_chunks::<LANES>().0;
        let keys = [V::load(&keys[0]), V::load(&keys[1])];
        for head in 0..HEADS {
            let query = V::splat(queries[head * width + i]);
            for half in 0..2 {
                sums[head][half] = keys[half].mul_add(query, sums[head][half]);
            }
        }
    }
    let scale = V::splat(1.0 / (width as f32).sqrt());
    let mut scores = [[[0.0; LANES]; 2]; HEADS];
    for head in 0..HEADS {
        for half in 0..2 {
            sums[head][half].mul_add(scale, V::splat(0.0)).store(&mut scores[head][half]);
        }
    }
    scores
}

/// Writes `x` where nothing is seen.
#[inline(always)]
fn hide<const HEADS: usize>(numbers: &mut OfBlock<HEADS>, seen: std::ops::Range<usize>, x: f32) {
    if seen == (0..BLOCK_TOKENS) {
        return;
    }
    for numbers in numbers {
        let numbers = numbers.as_flattened_mut();
        numbers[..seen.start].fill(x);
        numbers[seen.end..].fill(x);
    }
}

/// Which places of a block are seen.
#[inline(always)]
fn seen(past: Past<'_>, block: usize) -> std::ops::Range<usize> {
    let start = block * BLOCK_TOKENS;
    past.first.saturating_sub(start)..(past.length - start).min(BLOCK_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::Isa;
    use crate::engine::kernels::tests::numbers;

    #[test]
    fn attention_weighs_what_is_seen_by_softmax() {
        for (heads, width, first, length) in
            [(1, 4, 0, 1), (3, 64, 0, 75), (5, 40, 10, 64), (4, 32, 33, 97), (2, 16, 0, 32)]
        {
            let queries = numbers(heads * width);
            let (keys, values) = (numbers(width * 200), numbers(width * 211));
            let table = [5, 0, 3, 1].map(BlockId);
            let mut blocks = [const { Vec::new() }; 2]
                .map(|_: Vec<f32>| vec![vec![f32::NAN; width * BLOCK_TOKENS]; 6]);
            for position in 0..length {
                let block = table[position / BLOCK_TOKENS].0 as usize;
                let place = position % BLOCK_TOKENS;
                for i in 0..width {
                    blocks[0][block][i * BLOCK_TOKENS + place] = keys[position * width + i];
                    blocks[1][block][place * width + i] = values[position * width + i];
                }
            }
            let [key_blocks, value_blocks] = &blocks;
            let past =
                Past { keys: key_blocks, values: value_blocks, table: &table, first, length };
            for isa in Isa::all() {
                let mut out = vec![9.0; heads * width];
                isa.run(Attention { queries: &queries, width, past, out: &mut out });
                for (query, out) in queries.chunks(width).zip(out.chunks(width)) {
                    let scores: Vec<f64> = (first..length)
                        .map(|p| {
                            let key = &keys[p * width..][..width];
                            let dot: f64 =
                                query.iter().zip(key).map(|(a, b)| f64::from(a * b)).sum();
                            (dot / (width as f64).sqrt()).exp()
                        })
                        .collect();
                    let sum: f64 = scores.iter().sum();
                    for (i, out) in out.iter().enumerate() {
                        let weighed = (first..length).zip(&scores);
                        let exact: f64 = weighed
                            .map(|(p, score)| score / sum * f64::from(values[p * width + i]))
                            .sum();
                        assert!((exact - f64::from(*out)).abs() < 1e-5, "{isa:?} {exact} {out}");
                    }
                }
            }
        }
    }
}
