//! A stand-in for a model, for tests and benchmarks of everything around it: deterministic, with a
//! finite service rate, and worth nothing as an assistant.
//!
//! Its tokens are bytes. It "answers" with a run of the words it was asked, so that answers differ
//! and overlap as real ones do. Time is the clock's, so it takes none in a test.

pub mod contract;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex as Queue;

use crate::domain::ChatMessage;
use crate::ports::{
    Clock, Codec, CodecError, Device, DeviceDone, DeviceWork, EngineError, Placement, Row,
    SequenceId, StepEngine,
};

use super::device_thread::run_on;
use contract::KvContract;

const STOP: u32 = 256;
/// Ends every prompt: what comes after it is the answer.
const ANSWER: u32 = 257;
const VOCABULARY: usize = 258;
const DIMENSIONS: usize = 64;

/// Bytes as tokens; token 257 begins the answer, 256 ends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandInCodec;

impl Codec for StandInCodec {
    fn encode_chat(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, CodecError> {
        let texts: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
        Ok(texts.join("\n").bytes().map(u32::from).chain([ANSWER]).collect())
    }

    fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().filter_map(|id| u8::try_from(*id).ok()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn is_stop(&self, id: u32) -> bool {
        id == STOP
    }

    fn context_length(&self) -> usize {
        65_536
    }
}

/// How long the stand-in takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceRate {
    /// For any step.
    pub per_step: Duration,
    /// For each row in it.
    pub per_row: Duration,
}

/// The stand-in as an engine. It keeps to the contract of [`StepEngine`] itself and checks that
/// whoever drives it does: a mistake in the accounting of blocks is [`EngineError::Poisoned`].
#[derive(Debug, Default)]
pub struct StandInEngine {
    memory: KvContract,
    answers: HashMap<SequenceId, Answer>,
}

/// What a sequence is told to say, and how many tokens went before it.
#[derive(Debug)]
struct Answer {
    after: usize,
    bytes: Vec<u8>,
}

impl StandInEngine {
    /// One whose KV cache has so many blocks.
    #[must_use]
    pub fn of_blocks(blocks: u32) -> Self {
        Self { memory: KvContract::of_blocks(blocks), answers: HashMap::new() }
    }

    /// How many sequences it knows.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.memory.sequences()
    }

    fn logits(&mut self, row: &Row) -> Result<Option<Vec<f32>>, String> {
        let tokens = self.memory.run(row)?;
        if !row.wants_logits {
            return Ok(None);
        }
        let answer = self.answers.entry(row.sequence).or_insert_with(|| answer_to(tokens));
        let said = tokens.len() - answer.after.min(tokens.len());
        let token = answer.bytes.get(said).map_or(STOP as usize, |byte| usize::from(*byte));
        let mut logits = vec![f32::NEG_INFINITY; VOCABULARY];
        logits[token] = 0.0;
        Ok(Some(logits))
    }
}

impl StepEngine for StandInEngine {
    fn step(&mut self, rows: &[Row]) -> Result<Vec<Vec<f32>>, EngineError> {
        let logits = rows.iter().filter_map(|row| self.logits(row).transpose());
        logits.collect::<Result<_, _>>().map_err(breach)
    }

    fn place(&mut self, placement: Placement) -> Result<(), EngineError> {
        self.answers.remove(&placement.sequence);
        self.memory.place(placement).map_err(breach)
    }

    fn release(&mut self, sequence: SequenceId) {
        self.answers.remove(&sequence);
        self.memory.release(sequence);
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(texts.iter().map(|text| embed(text)).collect())
    }
}

fn breach(what: String) -> EngineError {
    EngineError::Poisoned(format!("the contract with the engine is broken: {what}"))
}

/// The answer to all before the token that asks for it; the same whether the sequence comes in one
/// go or goes on after it was interrupted.
fn answer_to(tokens: &[u32]) -> Answer {
    let after = tokens.iter().rposition(|token| *token == ANSWER).map_or(tokens.len(), |at| at + 1);
    let byte = |token: &u32| u8::try_from(*token).ok();
    let prompt: Vec<u8> = tokens[..after].iter().filter_map(byte).collect();
    Answer { after, bytes: compose(&prompt) }
}

/// A device that takes time but computes next to nothing.
pub struct StandInDevice {
    clock: Arc<dyn Clock>,
    rate: ServiceRate,
    /// One piece of work at a time, as on a device.
    turn: Arc<Queue<()>>,
    engine: Arc<Mutex<StandInEngine>>,
    faults: Arc<Mutex<VecDeque<(u64, EngineError)>>>,
    blocks: u32,
}

impl StandInDevice {
    /// An idle one, of more blocks than anybody needs.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, rate: ServiceRate) -> Self {
        Self::of_blocks(clock, rate, u32::MAX)
    }

    /// An idle one whose KV cache has so many blocks.
    #[must_use]
    pub fn of_blocks(clock: Arc<dyn Clock>, rate: ServiceRate, blocks: u32) -> Self {
        let engine = Arc::new(Mutex::new(StandInEngine::of_blocks(blocks)));
        Self { clock, rate, turn: Arc::default(), engine, faults: Arc::default(), blocks }
    }

    /// How many sequences it knows.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.engine.lock().sequences()
    }

    /// Makes it fail after so many more pieces of work, and then at once for each call of this.
    pub fn fail_after(&self, works: u64, error: EngineError) {
        self.faults.lock().push_back((works, error));
    }
}

impl Device for StandInDevice {
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>> {
        let (clock, rate, blocks) = (Arc::clone(&self.clock), self.rate, self.blocks);
        let (turn, engine) = (Arc::clone(&self.turn), Arc::clone(&self.engine));
        let faults = Arc::clone(&self.faults);
        Box::pin(async move {
            let _turn = turn.lock().await;
            let rows = match &work {
                DeviceWork::Step(step) => step.rows.len(),
                DeviceWork::Embed { texts } => texts.len(),
            };
            if rows > 0 {
                let rows = u32::try_from(rows).unwrap_or(u32::MAX);
                clock.sleep(rate.per_step + rate.per_row.saturating_mul(rows)).await;
            }
            let mut engine = engine.lock();
            if let Some(error) = due(&mut faults.lock()) {
                if matches!(error, EngineError::Recoverable(_)) {
                    *engine = StandInEngine::of_blocks(blocks);
                }
                return Err(error);
            }
            run_on(&mut *engine, work)
        })
    }
}

/// The fault that is due now; each call is a piece of work.
fn due(faults: &mut VecDeque<(u64, EngineError)>) -> Option<EngineError> {
    let (left, _) = faults.front_mut()?;
    if *left > 0 {
        *left -= 1;
        return None;
    }
    faults.pop_front().map(|(_, error)| error)
}

/// Up to sixteen neighbouring words of the prompt's last lines, from a place that all of the prompt
/// decides.
fn compose(prompt: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(prompt);
    let words: Vec<&str> = text.split_whitespace().rev().take(60).collect();
    let digest = Sha256::digest(prompt);
    let span = words.len().saturating_sub(16).max(1);
    let start = usize::from(u16::from_le_bytes([digest[0], digest[1]])) % span;
    let chosen: Vec<&str> = words.iter().rev().skip(start).take(16).copied().collect();
    chosen.join(" ").into_bytes()
}

/// Words hashed into a unit vector: texts that share words point the same way.
fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    vector[0] = 0.5;
    for word in text.to_lowercase().split_whitespace() {
        let digest = Sha256::digest(word);
        vector[usize::from(digest[0]) % DIMENSIONS] += if digest[1] % 2 == 0 { 1.0 } else { -1.0 };
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length.max(f32::MIN_POSITIVE)).collect()
}
