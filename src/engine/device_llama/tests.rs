//! Tests on candle's processor device, and the same on a CUDA device where there is one: against
//! plain loops over the same weights ([`reference`]), and against transformers' tokens.

mod on_device;
mod real_model;
mod reference;

use std::fs::File;
use std::path::PathBuf;

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use sn1_actors::ports::BlockId;
use tempfile::TempDir;

use self::reference::Reference;
use super::*;

/// A made-up model of a few kilobytes, and what it should compute.
struct TinyModel {
    folder: TempDir,
    reference: Reference,
}

impl TinyModel {
    fn new(window: Option<usize>, rope_width: usize, untied: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let reference = Reference::made_up(window, rope_width, untied);
        let tensors: Vec<(String, QTensor)> = reference
            .tensors
            .iter()
            .map(|(name, (shape, numbers))| {
                let tensor = Tensor::from_slice(numbers, shape.as_slice(), &Device::Cpu).unwrap();
                (name.clone(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap())
            })
            .collect();
        let tensors: Vec<_> = tensors.iter().map(|(n, t)| (n.as_str(), t)).collect();
        let sizes = &reference.sizes;
        let count = |n: usize| Value::U32(u32::try_from(n).unwrap());
        let mut metadata = vec![
            ("general.architecture", Value::String("llama".into())),
            ("llama.context_length", count(sizes.context)),
            ("llama.embedding_length", count(sizes.width)),
            ("llama.block_count", count(sizes.layers)),
            ("llama.feed_forward_length", count(sizes.hidden)),
            ("llama.attention.head_count", count(sizes.heads)),
            ("llama.attention.head_count_kv", count(sizes.kv_heads)),
            ("llama.attention.key_length", count(sizes.head_width)),
            ("llama.rope.dimension_count", count(sizes.rope_width)),
            ("llama.rope.freq_base", Value::F32(sizes.rope_base)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(sizes.epsilon)),
        ];
        if let Some(window) = window {
            metadata.push(("llama.attention.sliding_window", count(window)));
        }
        let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
        let mut file = File::create(folder.path().join("tiny.gguf")).unwrap();
        write(&mut file, &metadata, &tensors).unwrap();
        Self { folder, reference }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tiny.gguf")
    }

    fn load(&self, device: &Device, dtype: DType) -> DeviceLlama {
        DeviceLlama::load(&self.path(), device, dtype, 40).unwrap()
    }
}

fn tokens(seed: u32, count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i * i * 7 + i * seed + seed) % 23).collect()
}

/// Rows of all tokens from `start` on; the logits of all are wanted.
fn rows(sequence: u32, start: usize, tokens: &[u32]) -> Vec<Row> {
    let row = |(position, token): (u32, &u32)| Row {
        sequence: SequenceId(sequence),
        position,
        token: *token,
        wants_logits: true,
    };
    (u32::try_from(start).unwrap()..).zip(tokens).map(row).collect()
}

fn place(sequence: u32, blocks: &[u32], cached: u32) -> Placement {
    let blocks = blocks.iter().map(|block| BlockId(*block)).collect();
    Placement { sequence: SequenceId(sequence), blocks, cached }
}

#[track_caller]
fn assert_close(found: &[Vec<f32>], wanted: &[Vec<f32>], tolerance: f32) {
    assert_eq!(found.len(), wanted.len());
    for (row, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            let close = (found - wanted).abs() <= tolerance * wanted.abs().max(1.0);
            assert!(close, "row {row}: {found} where {wanted} is right");
        }
    }
}
