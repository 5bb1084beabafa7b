//! The llama architecture as plain loops over one sequence, without any cache: slow and evident.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::engine::hyperparameters::{Hyperparameters, RopeLayout};

/// A made-up model of 23 tokens: its sizes and, by their names in GGUF, its weights.
pub(super) struct Reference {
    pub(super) sizes: Hyperparameters,
    pub(super) tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Reference {
    pub(super) fn made_up(window: Option<usize>, rope_width: usize, untied: bool) -> Self {
        let sizes = Hyperparameters {
            layers: 2,
            context: 300,
            width: 16,
            hidden: 24,
            heads: 4,
            kv_heads: 2,
            head_width: 8,
            rope_width,
            rope_base: 500.0,
            rope_layout: RopeLayout::Interleaved,
            sliding_window: window,
            epsilon: 1e-5,
        };
        let mut shapes =
            vec![("token_embd".to_owned(), vec![23, 16]), ("output_norm".to_owned(), vec![16])];
        if untied {
            shapes.push(("output".to_owned(), vec![23, 16]));
        }
        for layer in 0..sizes.layers {
            for (name, shape) in [
                ("attn_norm", vec![16]),
                ("attn_q", vec![32, 16]),
                ("attn_k", vec![16, 16]),
                ("attn_v", vec![16, 16]),
                ("attn_output", vec![16, 32]),
                ("ffn_norm", vec![16]),
                ("ffn_gate", vec![24, 16]),
                ("ffn_up", vec![24, 16]),
                ("ffn_down", vec![16, 24]),
            ] {
                shapes.push((format!("blk.{layer}.{name}"), shape));
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut numbers = |shape: &[usize]| {
            (0..shape.iter().product()).map(|_| rng.random_range(-0.7..0.7)).collect()
        };
        let tensors = shapes
            .into_iter()
            .map(|(name, shape)| (format!("{name}.weight"), (shape.clone(), numbers(&shape))))
            .collect();
        Self { sizes, tensors }
    }

    /// The logits after each of `tokens`.
    pub(super) fn logits(&self, tokens: &[u32]) -> Vec<Vec<f32>> {
        let sizes = &self.sizes;
        let embedding = &self.tensors["token_embd.weight"].1;
        let mut x: Vec<Vec<f32>> = tokens
            .iter()
            .map(|token| embedding[*token as usize * sizes.width..][..sizes.width].to_vec())
            .collect();
        for layer in 0..sizes.layers {
            let name = |tensor: &str| format!("blk.{layer}.{tensor}");
            let turned = |tensor: &str, x: &[Vec<f32>]| -> Vec<Vec<f32>> {
                let product =
                    |x: &Vec<f32>| self.product(&name(tensor), &self.norm(&name("attn_norm"), x));
                x.iter().map(product).enumerate().map(|(p, x)| self.turn(p, x)).collect()
            };
            let (queries, keys) = (turned("attn_q", &x), turned("attn_k", &x));
            let values: Vec<Vec<f32>> = x
                .iter()
                .map(|x| self.product(&name("attn_v"), &self.norm(&name("attn_norm"), x)))
                .collect();
            for (position, x) in x.iter_mut().enumerate() {
                let mixed = self.attend(position, &queries[position], &keys, &values);
                add(x, &self.product(&name("attn_output"), &mixed));
                let normed = self.norm(&name("ffn_norm"), x);
                let gate = self.product(&name("ffn_gate"), &normed);
                let up = self.product(&name("ffn_up"), &normed);
                let gated: Vec<f32> =
                    gate.iter().zip(&up).map(|(g, up)| g / (1.0 + (-g).exp()) * up).collect();
                add(x, &self.product(&name("ffn_down"), &gated));
            }
        }
        let untied = self.tensors.contains_key("output.weight");
        let head = if untied { "output" } else { "token_embd" };
        x.iter().map(|x| self.product(head, &self.norm("output_norm", x))).collect()
    }

    fn attend(
        &self,
        position: usize,
        query: &[f32],
        keys: &[Vec<f32>],
        values: &[Vec<f32>],
    ) -> Vec<f32> {
        let Hyperparameters { heads, kv_heads, head_width, .. } = self.sizes;
        let first = self.sizes.sliding_window.map_or(0, |w| (position + 1).saturating_sub(w));
        let mut mixed = vec![0.0; query.len()];
        for head in 0..heads {
            let kv = head / (heads / kv_heads) * head_width;
            let query = &query[head * head_width..][..head_width];
            let scores: Vec<f32> = keys[first..=position]
                .iter()
                .map(|key| dot(query, &key[kv..][..head_width]) / (head_width as f32).sqrt())
                .collect();
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            let total: f32 = scores.iter().map(|score| (score - most).exp()).sum();
            for (score, value) in scores.iter().zip(&values[first..]) {
                let share = (score - most).exp() / total;
                for i in 0..head_width {
                    mixed[head * head_width + i] += share * value[kv + i];
                }
            }
        }
        mixed
    }

    fn turn(&self, position: usize, mut heads: Vec<f32>) -> Vec<f32> {
        let width = self.sizes.rope_width;
        for head in heads.chunks_exact_mut(self.sizes.head_width) {
            for i in 0..width / 2 {
                let frequency = self.sizes.rope_base.powf(-((2 * i) as f32) / width as f32);
                let (sin, cos) = (position as f32 * frequency).sin_cos();
                let (a, b) = match self.sizes.rope_layout {
                    RopeLayout::Interleaved => (2 * i, 2 * i + 1),
                    RopeLayout::Halves => (i, i + width / 2),
                };
                let (x, y) = (head[a], head[b]);
                (head[a], head[b]) = (x * cos - y * sin, x * sin + y * cos);
            }
        }
        heads
    }

    fn norm(&self, name: &str, x: &[f32]) -> Vec<f32> {
        let gain = &self.tensors[&format!("{name}.weight")].1;
        let scale = (dot(x, x) / x.len() as f32 + self.sizes.epsilon).sqrt();
        x.iter().zip(gain).map(|(x, gain)| x / scale * gain).collect()
    }

    fn product(&self, name: &str, x: &[f32]) -> Vec<f32> {
        let weights = &self.tensors[&format!("{name}.weight")].1;
        weights.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [f32], update: &[f32]) {
    for (x, update) in x.iter_mut().zip(update) {
        *x += update;
    }
}
