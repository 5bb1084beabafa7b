//! The engine that runs on this machine's processor: a language model and, if wanted, an
//! embedding model.

use std::path::PathBuf;

use sn1_actors::ports::{EngineError, Row, SequenceId, StepEngine};

use super::llama::Llama;
use super::load_error::LoadError;
use super::minilm::MiniLm;

/// Where the models' files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalModelFiles {
    /// The language model: a GGUF file of the llama architecture.
    pub text: PathBuf,
    /// The embedding model: a folder with `config.json`, `tokenizer.json` and
    /// `model.safetensors`. Without it, the engine refuses to embed.
    pub embedder: Option<PathBuf>,
}

/// The models on this machine. Build it on the thread that will run it.
pub struct LocalEngine {
    text: Llama,
    embedder: Option<MiniLm>,
}

impl LocalEngine {
    /// Reads the models into memory, the language model as f32: four bytes a weight.
    ///
    /// # Errors
    /// [`LoadError`] where a file is absent, damaged, or of a kind that is not supported.
    pub fn load(files: &LocalModelFiles) -> Result<Self, LoadError> {
        Ok(Self {
            text: Llama::load(&files.text)?,
            embedder: files.embedder.as_deref().map(MiniLm::load).transpose()?,
        })
    }
}

impl StepEngine for LocalEngine {
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.text.step(rows)
    }

    fn release(&mut self, sequence: SequenceId) {
        self.text.release(sequence);
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        match &self.embedder {
            Some(embedder) => embedder.embed(texts),
            None => Err(EngineError::Request("no embedding model is loaded".into())),
        }
    }
}
