//! The embedding model with threads of its own, on the processor whatever the language model runs
//! on.

use std::path::Path;

use sn1_actors::ports::{EngineError, Placement, Row, SequenceId, StepEngine};

use super::bert::Bert;
use super::kernels::Isa;
use super::load_error::LoadError;
use super::thread_team::ThreadTeam;

/// An embedding model with its threads.
pub struct Embedder {
    bert: Bert,
    team: ThreadTeam,
    isa: Isa,
}

impl Embedder {
    /// Reads the model in `folder` (`config.json`, `tokenizer.json`, `model.safetensors`).
    /// `threads` of `None` means one for each core.
    ///
    /// # Errors
    /// [`LoadError`] where a file is absent, damaged, or of a kind that is not supported.
    pub fn load(folder: &Path, threads: Option<usize>) -> Result<Self, LoadError> {
        let team = ThreadTeam::with_threads(threads);
        Ok(Self { bert: Bert::load(folder)?, team, isa: Isa::detect() })
    }

    /// How many threads it has.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// A vector of unit length a text.
    ///
    /// # Errors
    /// [`EngineError::Request`] where a text cannot be tokenised.
    pub fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.bert.embed(&mut self.team, self.isa, texts)
    }
}

/// An engine without a language model, for those whose texts are written elsewhere.
impl StepEngine for Embedder {
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        if rows.is_empty() { Ok(Vec::new()) } else { Err(no_text()) }
    }

    fn place(&mut self, _: Placement) -> Result<(), EngineError> {
        Err(no_text())
    }

    fn release(&mut self, _: SequenceId) {}

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        Embedder::embed(self, texts)
    }
}

fn no_text() -> EngineError {
    EngineError::Request("no language model is loaded".into())
}
