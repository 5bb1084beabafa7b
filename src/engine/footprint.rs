//! How much memory models take, told from the heads of their files: nothing is loaded. Only what grows
//! with the model is counted: weights, and keys and values when the cache is full.

use std::path::Path;

use sn1_actors::ports::BLOCK_TOKENS;

use super::gguf::Gguf;
use super::hyperparameters::Hyperparameters;
use super::load_error::{LoadError, LoadProblem};
use super::local::{EngineOptions, LocalModelFiles, Precision};
use super::model_config::ModelConfig;

/// Bytes of a float.
const FLOAT: u64 = 4;

/// The bytes that models take on the processor, at most and about.
///
/// # Errors
/// Where the text model's files cannot be read, or are no model.
pub fn footprint(files: &LocalModelFiles, options: EngineOptions) -> Result<u64, LoadError> {
    let text = text(&files.text, options)
        .map_err(|problem| LoadError { path: files.text.clone(), problem })?;
    let embedder = files.embedder.as_deref().map_or(0, weights_in);
    Ok(text.saturating_add(embedder))
}

fn text(path: &Path, options: EngineOptions) -> Result<u64, LoadProblem> {
    let (sizes, weights) = if path.is_dir() {
        (Hyperparameters::of_config(&ModelConfig::read(path)?)?, weights_in(path))
    } else {
        let gguf = Gguf::open(path)?;
        let weights = match options.precision {
            Precision::Faithful | Precision::Fast => path.metadata()?.len(),
            Precision::F32 => floats(&gguf)?.saturating_mul(FLOAT),
        };
        (Hyperparameters::of_gguf(&gguf)?, weights)
    };
    // The sizes are bounded far below what overflows.
    let token = 2 * FLOAT * (sizes.layers * sizes.kv_width()) as u64;
    let tokens = u64::from(options.kv_blocks).saturating_mul(BLOCK_TOKENS as u64);
    Ok(weights.saturating_add(token.saturating_mul(tokens)))
}

fn floats(gguf: &Gguf) -> Result<u64, LoadProblem> {
    gguf.tensor_names().try_fold(0_u64, |sum, name| {
        let floats = gguf.shape(name)?.iter().fold(1_u64, |n, side| n.saturating_mul(*side as u64));
        Ok(sum.saturating_add(floats))
    })
}

/// The bytes of a folder's weights.
fn weights_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let weights = entries.filter(|entry| entry.path().extension() == Some("safetensors".as_ref()));
    weights.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
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
    fn weights_are_as_in_the_file_or_in_f32_and_the_cache_comes_on_top() {
        let (packed, whole) = ("tiny-mistral.q8_0.gguf", "tiny-mistral.f32.gguf");
        let length = |name: &str| fixture(name).metadata().unwrap().len();
        assert_eq!(bytes(packed, 0, Precision::Faithful), length(packed));
        let floats = bytes(packed, 0, Precision::F32);
        assert_eq!(floats, bytes(whole, 0, Precision::F32));
        assert!(floats > length(packed) && floats < length(whole), "{floats}");
        let block = |name: &str, n| {
            bytes(name, n, Precision::Faithful) - bytes(name, 0, Precision::Faithful)
        };
        assert!(block(whole, 1) > 0);
        for name in [packed, "tiny-mistral"] {
            assert_eq!(block(name, 3), 3 * block(whole, 1), "{name}");
        }
    }

    #[test]
    fn what_is_no_model_is_told() {
        let files = LocalModelFiles { text: fixture("logits.json"), embedder: None };
        assert!(footprint(&files, EngineOptions::default()).is_err());
    }
}
