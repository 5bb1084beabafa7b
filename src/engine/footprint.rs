//! How much memory models take, told from the heads of their files: nothing is loaded. Only what grows
//! with the model is counted: weights, and keys and values when the cache is full.

use std::path::Path;

use candle_core::quantized::GgmlDType;
use sn1_actors::ports::BLOCK_TOKENS;

use super::load_error::{LoadError, LoadProblem};
use super::local::{EngineOptions, LocalModelFiles, Precision};
use super::model_file::ModelFile;
use super::packed;
use super::safetensors::Safetensors;

/// Bytes of a float.
const FLOAT: u64 = 4;

/// The bytes that models take on the processor, at most and about.
///
/// # Errors
/// Where the text model's files cannot be read, or are no model.
pub fn footprint(files: &LocalModelFiles, options: EngineOptions) -> Result<u64, LoadError> {
    let text = text(&files.text, options)
        .map_err(|problem| LoadError { path: files.text.clone(), problem })?;
    // What is wrong with an embedder's files is told by whoever looks at them.
    let embedder = files.embedder.as_deref().map_or(0, |folder| embedder(folder).unwrap_or(0));
    Ok(text.saturating_add(embedder))
}

fn text(path: &Path, options: EngineOptions) -> Result<u64, LoadProblem> {
    let file = ModelFile::open(path)?;
    let sizes = file.hyperparameters()?;
    let weights = match &file {
        ModelFile::Gguf(gguf) => {
            sum(gguf.tensors().map(|(dtype, shape)| loaded(dtype, shape, options.precision)))
        }
        ModelFile::Safetensors(folder) => sum(folder.shapes().map(floats)),
    };
    // The sizes are bounded far below what overflows.
    let token = 2 * FLOAT * (sizes.layers * sizes.kv_width()) as u64;
    let tokens = u64::from(options.kv_blocks).saturating_mul(BLOCK_TOKENS as u64);
    Ok(weights.saturating_add(token.saturating_mul(tokens)))
}

fn embedder(folder: &Path) -> Result<u64, LoadProblem> {
    let file = Safetensors::open(&folder.join("model.safetensors"))?;
    Ok(sum(file.shapes().map(floats)))
}

/// The bytes of a tensor as a [`super::projection`] keeps it.
fn loaded(dtype: GgmlDType, shape: &[usize], precision: Precision) -> u64 {
    let packed = match precision {
        Precision::F32 => None,
        Precision::Faithful | Precision::Fast => packed::bytes(dtype, shape),
    };
    packed.unwrap_or_else(|| floats(shape))
}

/// The bytes of a tensor in f32.
fn floats(shape: &[usize]) -> u64 {
    shape.iter().fold(FLOAT, |bytes, side| bytes.saturating_mul(*side as u64))
}

fn sum(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::super::tiny_models::fixture;
    use super::*;

    fn bytes(name: &str, kv_blocks: u32, precision: Precision) -> u64 {
        let files = LocalModelFiles { text: fixture(name), embedder: None };
        footprint(&files, EngineOptions { kv_blocks, precision, ..EngineOptions::default() })
            .unwrap()
    }

    #[test]
    fn weights_are_counted_as_they_are_kept_and_the_cache_comes_on_top() {
        // In matrices and in norms.
        let (weights, norms) = (49_152, 160 * FLOAT);
        let (packed, whole) = ("tiny-mistral.q8_0.gguf", "tiny-mistral.f32.gguf");
        let kept = |name: &str| bytes(name, 0, Precision::Faithful);
        assert_eq!(kept(packed), weights / 32 * (32 + 2) + norms);
        assert_eq!(kept("tiny-mistral.q4_0.gguf"), weights / 32 * (16 + 4) + norms);
        // The shards are of bf16.
        for name in [whole, "tiny-mistral", "tiny-mistral-sharded"] {
            assert_eq!(kept(name), weights * FLOAT + norms, "{name}");
        }
        assert_eq!(bytes(packed, 0, Precision::F32), kept(whole));
        let block = |name: &str, n| bytes(name, n, Precision::Faithful) - kept(name);
        assert!(block(whole, 1) > 0);
        for name in [packed, "tiny-mistral"] {
            assert_eq!(block(name, 3), 3 * block(whole, 1), "{name}");
        }
    }

    #[test]
    fn types_that_are_not_packed_are_kept_in_f32() {
        let kept = |dtype, shape: &[usize]| loaded(dtype, shape, Precision::Faithful);
        assert_eq!(kept(GgmlDType::Q4K, &[2, 256]), 2 * 256 * 3 / 4);
        for dtype in [GgmlDType::Q5_0, GgmlDType::Q6K, GgmlDType::F16, GgmlDType::BF16] {
            assert_eq!(kept(dtype, &[2, 256]), 2 * 256 * FLOAT, "{dtype:?}");
        }
        assert_eq!(kept(GgmlDType::Q8_0, &[256]), 256 * FLOAT, "no matrix");
    }

    #[test]
    fn embedders_are_kept_in_f32_whatever_their_file_has() {
        // The second, which is of f16, is no embedder, but has a file of that name.
        for (name, weights) in [("tiny-bert", 12_200), ("tiny-llama", 37_024)] {
            assert_eq!(embedder(&fixture(name)).unwrap(), weights * FLOAT, "{name}");
        }
    }

    #[test]
    fn what_is_no_model_is_told() {
        let files = LocalModelFiles { text: fixture("logits.json"), embedder: None };
        assert!(footprint(&files, EngineOptions::default()).is_err());
    }
}
