//! The engine that runs on this machine's processor: a language model and, if wanted, an
//! embedding model.

use std::path::PathBuf;

use candle_core::DType;
use sn1_actors::ports::{EngineError, Placement, Row, SequenceId, StepEngine};

use super::device_llama::{DeviceLlama, cuda_device};
use super::embedder::Embedder;
use super::llama::Llama;
use super::load_error::LoadError;

/// Where the models' files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalModelFiles {
    /// The language model, of the llama or mistral architecture: a GGUF file, or a folder as
    /// transformers writes it.
    pub text: PathBuf,
    /// The embedding model: a folder with `config.json`, `tokenizer.json` and
    /// `model.safetensors`. Without it, the engine refuses to embed.
    pub embedder: Option<PathBuf>,
}

/// How exactly the language model computes on the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Quantised weights as they are in the file, activations of some 15 bits: the tokens are
    /// those of f32 in all but a few places, at several times its speed.
    #[default]
    Faithful,
    /// Activations of 8 bits, as llama.cpp has them; small models suffer visibly.
    Fast,
    /// All in f32: four bytes a weight.
    F32,
}

/// Where the models compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The processor.
    #[default]
    Cpu,
    /// The CUDA device of that number.
    Cuda(usize),
}

/// The numbers that a language model computes with on a CUDA device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dtype {
    /// What suits the device: [`Self::Bf16`].
    #[default]
    Auto,
    /// 32 bits.
    F32,
    /// 16 bits with the range of 32.
    Bf16,
    /// 16 bits.
    F16,
}

/// How the models are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Where.
    pub place: Place,
    /// How exactly, on the processor.
    pub precision: Precision,
    /// Threads on the processor; `None` means one for each core.
    pub threads: Option<usize>,
    /// How many blocks of [`sn1_actors::ports::BLOCK_TOKENS`] positions the KV cache has.
    pub kv_blocks: u32,
    /// With what numbers, on a CUDA device.
    pub dtype: Dtype,
}

/// The models on this machine. Build it on the thread that will run it.
pub struct LocalEngine {
    text: TextModel,
    embedder: Option<Embedder>,
}

impl LocalEngine {
    /// Reads the models into memory.
    ///
    /// # Errors
    /// [`LoadError`] where a file is absent, damaged, or of a kind that is not supported.
    pub fn load(files: &LocalModelFiles, options: EngineOptions) -> Result<Self, LoadError> {
        let text = match options.place {
            Place::Cpu => TextModel::Cpu(Box::new(Llama::load(&files.text, options)?)),
            Place::Cuda(number) => {
                let device = cuda_device(number).map_err(|problem| problem.at(&files.text))?;
                let dtype = match options.dtype {
                    Dtype::F32 => DType::F32,
                    Dtype::Auto | Dtype::Bf16 => DType::BF16,
                    Dtype::F16 => DType::F16,
                };
                let model = DeviceLlama::load(&files.text, &device, dtype, options.kv_blocks)?;
                TextModel::Cuda(Box::new(model))
            }
        };
        let embedder = files.embedder.as_deref();
        let embedder =
            embedder.map(|folder| Embedder::load(folder, options.threads)).transpose()?;
        Ok(Self { text, embedder })
    }
}

/// The language model, wherever it runs.
enum TextModel {
    Cpu(Box<Llama>),
    Cuda(Box<DeviceLlama>),
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            place: Place::default(),
            precision: Precision::default(),
            threads: None,
            kv_blocks: 2_048,
            dtype: Dtype::default(),
        }
    }
}

impl StepEngine for LocalEngine {
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        match &mut self.text {
            TextModel::Cpu(model) => model.step(rows),
            TextModel::Cuda(model) => model.step(rows),
        }
    }

    fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        match &mut self.text {
            TextModel::Cpu(model) => model.place(placement),
            TextModel::Cuda(model) => model.place(placement),
        }
    }

    fn release(&mut self, sequence: SequenceId) {
        match &mut self.text {
            TextModel::Cpu(model) => model.release(sequence),
            TextModel::Cuda(model) => model.release(sequence),
        }
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        match &mut self.embedder {
            Some(embedder) => embedder.embed(texts),
            None => Err(EngineError::Request("no embedding model is loaded".into())),
        }
    }
}
