//! Attention of the query heads that share a head of keys and values, over the blocks of a paged
//! cache.
//!
//! All blocks are looked at in order and whole, so a result depends on the past alone: not on the
//! batch, and not on where the blocks lie.

use sn1_actors::ports::{BLOCK_TOKENS, BlockId};

use super::pointwise::exponential;
use super::{Isa, PORTABLE_FMA, builds, mul_add};

/// Query heads that are looked at together: their sums fit into registers.
const MAX_HEADS: usize = 4;
/// Floats of a value that are summed together.
const PART: usize = 32;

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

builds! {
    /// `out` = the attention of each query, heads one after the other, `width` floats each.
    attend = attend_all(queries: &[f32], width: usize, past: Past<'_>, out: &mut [f32])
}

#[inline(always)]
fn attend_all<const FMA: bool>(queries: &[f32], width: usize, past: Past<'_>, out: &mut [f32]) {
    let groups = queries.chunks(MAX_HEADS * width).zip(out.chunks_mut(MAX_HEADS * width));
    for (queries, out) in groups {
        match queries.len() / width {
            1 => attend_heads::<FMA, 1>(queries, width, past, out),
            2 => attend_heads::<FMA, 2>(queries, width, past, out),
            3 => attend_heads::<FMA, 3>(queries, width, past, out),
            _ => attend_heads::<FMA, MAX_HEADS>(queries, width, past, out),
        }
    }
}

#[inline(always)]
fn attend_heads<const FMA: bool, const HEADS: usize>(
    queries: &[f32],
    width: usize,
    past: Past<'_>,
    out: &mut [f32],
) {
    let scale = 1.0 / (width as f32).sqrt();
    let blocks = past.first / BLOCK_TOKENS..past.length.div_ceil(BLOCK_TOKENS);
    // Loops, because a closure would be compiled apart, without the extension.
    let mut weights: Vec<[[f32; BLOCK_TOKENS]; HEADS]> = Vec::with_capacity(blocks.len());
    let mut largest = [[f32::NEG_INFINITY; BLOCK_TOKENS]; HEADS];
    for block in blocks.clone() {
        let keys = &past.keys[past.table[block].0 as usize][..width * BLOCK_TOKENS];
        let mut scores = scores::<FMA, HEADS>(queries, width, keys);
        let seen = seen(past, block);
        for head in 0..HEADS {
            for place in 0..BLOCK_TOKENS {
                scores[head][place] *= scale;
            }
            scores[head][..seen.start].fill(f32::NEG_INFINITY);
            scores[head][seen.end..].fill(f32::NEG_INFINITY);
            for place in 0..BLOCK_TOKENS {
                largest[head][place] = largest[head][place].max(scores[head][place]);
            }
        }
        weights.push(scores);
    }
    let mut sums = [[0.0; BLOCK_TOKENS]; HEADS];
    for head in 0..HEADS {
        let mut top = f32::NEG_INFINITY;
        for place in 0..BLOCK_TOKENS {
            top = top.max(largest[head][place]);
        }
        for (block, weights) in blocks.clone().zip(&mut weights) {
            let weights = &mut weights[head];
            for place in 0..BLOCK_TOKENS {
                weights[place] = exponential::<FMA>(weights[place] - top);
            }
            let seen = seen(past, block);
            weights[..seen.start].fill(0.0);
            weights[seen.end..].fill(0.0);
            for place in 0..BLOCK_TOKENS {
                sums[head][place] += weights[place];
            }
        }
    }
    let mut shares = [0.0; HEADS];
    for head in 0..HEADS {
        let mut sum = 0.0;
        for place in 0..BLOCK_TOKENS {
            sum += sums[head][place];
        }
        shares[head] = 1.0 / sum;
    }
    let whole = width / PART * PART;
    for start in (0..whole).step_by(PART) {
        let mut parts = [[0.0; PART]; HEADS];
        for (block, weights) in blocks.clone().zip(&weights) {
            let values = &past.values[past.table[block].0 as usize];
            for place in seen(past, block) {
                let value = &values[place * width + start..][..PART];
                for head in 0..HEADS {
                    for i in 0..PART {
                        let sum = &mut parts[head][i];
                        *sum = mul_add::<FMA>(weights[head][place], value[i], *sum);
                    }
                }
            }
        }
        for head in 0..HEADS {
            let out = &mut out[head * width + start..][..PART];
            for i in 0..PART {
                out[i] = parts[head][i] * shares[head];
            }
        }
    }
    for head in 0..HEADS {
        for i in whole..width {
            let mut sum = 0.0;
            for (block, weights) in blocks.clone().zip(&weights) {
                let values = &past.values[past.table[block].0 as usize];
                for place in seen(past, block) {
                    sum = mul_add::<FMA>(weights[head][place], values[place * width + i], sum);
                }
            }
            out[head * width + i] = sum * shares[head];
        }
    }
}

#[inline(always)]
fn scores<const FMA: bool, const HEADS: usize>(
    queries: &[f32],
    width: usize,
    keys: &[f32],
) -> [[f32; BLOCK_TOKENS]; HEADS] {
    let mut scores = [[0.0; BLOCK_TOKENS]; HEADS];
    for (i, keys) in keys.as_chunks::<BLOCK_TOKENS>().0.iter().enumerate() {
        for head in 0..HEADS {
            let query = queries[head * width + i];
            for place in 0..BLOCK_TOKENS {
                scores[head][place] = mul_add::<FMA>(query, keys[place], scores[head][place]);
            }
        }
    }
    scores
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
    use crate::engine::kernels::tests::numbers;

    #[test]
    fn attention_weighs_what_is_seen_by_softmax() {
        for (heads, width, first, length) in
            [(1, 4, 0, 1), (3, 64, 0, 75), (5, 40, 10, 64), (4, 32, 33, 97), (2, 16, 0, 32)]
        {
            let queries = numbers(heads * width);
            let (keys, values) = (numbers(width * 200), numbers(width * 211));
            let table = [5, 0, 3, 1].map(BlockId);
            let mut blocks = [const { Vec::new() }; 2].map(|_: Vec<f32>| {
                vec![vec![f32::NAN; width * BLOCK_TOKENS]; 6]
            });
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
                isa.attend(&queries, width, past, &mut out);
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
