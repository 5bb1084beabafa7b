//! A language model as the scheduler drives it: rows in, logits out.

use futures_util::future::BoxFuture;

use crate::domain::ChatMessage;

/// A sequence's place in the engine's KV cache, counted from 0 and reused after its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SequenceId(pub u32);

/// So many positions lie together in the KV cache and are given to a sequence at once.
pub const BLOCK_TOKENS: usize = 32;

/// A piece of the KV cache: the keys and values of [`BLOCK_TOKENS`] positions in all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// Where a new sequence keeps its keys and values.
///
/// Position `p` lies in `blocks[p / BLOCK_TOKENS]`. Whole blocks at the front may be another
/// sequence's too, which began with the same tokens: these hold the first `cached` positions
/// already and are only read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The sequence, which the engine does not know yet.
    pub sequence: SequenceId,
    /// Enough for all positions that the sequence will ever have.
    pub blocks: Vec<BlockId>,
    /// Positions that need no row; a multiple of [`BLOCK_TOKENS`].
    pub cached: u32,
}

/// One token to run through the model. Rows of different sequences share one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose token it is.
    pub sequence: SequenceId,
    /// Its place in the sequence, counted from 0; the engine has all tokens before it.
    pub position: u32,
    /// The token.
    pub token: u32,
    /// Whether the logits after this row are wanted.
    pub wants_logits: bool,
}

/// Why the engine failed, by what to do about it (aesthetics.md §4.6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// This request is at fault; others go on.
    #[error("the request cannot be run: {0}")]
    Request(String),
    /// The engine must be built anew; later requests may succeed.
    #[error("the engine failed and is rebuilt: {0}")]
    Recoverable(String),
    /// The device is lost to this process: it must exit so that a fresh one takes over.
    #[error("the device is lost to this process: {0}")]
    Poisoned(String),
}

/// A model on this machine. It lives on one thread and is never shared.
pub trait StepEngine {
    /// Runs rows in order; gives the logits of the rows that want them, in order, each of the
    /// vocabulary's length.
    ///
    /// # Errors
    /// [`EngineError`] by what to do about it.
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Takes up a sequence that begins.
    ///
    /// # Errors
    /// [`EngineError::Request`] where a block is beyond the engine's memory.
    fn place(&mut self, placement: Placement) -> Result<(), EngineError>;

    /// Forgets a sequence, so that its id and blocks can be used again.
    fn release(&mut self, sequence: SequenceId);

    /// One unit vector a text.
    ///
    /// # Errors
    /// [`EngineError`] by what to do about it.
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// One step of a batch: forget what was released, take up what was placed, then run the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Sequences that ended since the last step.
    pub released: Vec<SequenceId>,
    /// Sequences that begin with this one.
    pub placed: Vec<Placement>,
    /// What to run; may be empty.
    pub rows: Vec<Row>,
}

/// One unit of work for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceWork {
    /// Advance sequences.
    Step(Step),
    /// Embed texts.
    Embed {
        /// What to embed.
        texts: Vec<String>,
    },
}

/// What a unit of work came to.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceDone {
    /// The logits of the rows that wanted them, in order.
    Logits(Vec<Vec<f32>>),
    /// One unit vector a text.
    Embeddings(Vec<Vec<f32>>),
}

/// Where a [`StepEngine`] runs: a thread of its own in the program, virtual time in tests.
///
/// It outlives a restart of the actor that drives it, and builds its engine anew by itself after
/// [`EngineError::Recoverable`]; every sequence is forgotten then.
pub trait Device: Send + Sync {
    /// Runs one unit of work after those given before it.
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>>;
}

/// The messages cannot be put into tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chat cannot be put into tokens: {0}")]
pub struct CodecError(pub String);

/// Text to tokens and back, with the model's own chat template.
pub trait Codec: Send + Sync {
    /// The chat as tokens, ready for the assistant's answer. Contents are data: a control token's
    /// name within one becomes ordinary tokens.
    ///
    /// # Errors
    /// [`CodecError`] where the template refuses the messages.
    fn encode_chat(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, CodecError>;

    /// Tokens as text, control tokens left out, invalid UTF-8 replaced.
    fn decode(&self, ids: &[u32]) -> String;

    /// Whether this token ends the assistant's answer.
    fn is_stop(&self, id: u32) -> bool;

    /// How many tokens a sequence can hold, prompt included.
    fn context_length(&self) -> usize;
}
