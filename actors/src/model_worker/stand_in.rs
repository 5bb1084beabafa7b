//! A stand-in for a model, for tests and benchmarks of everything around it: deterministic, with a
//! finite service rate, and worth nothing as an assistant.
//!
//! Its tokens are bytes. It "answers" with a run of the words it was asked, so that answers differ
//! and overlap as real ones do. Time is the clock's, so it takes none in a test.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex as Queue;

use crate::domain::ChatMessage;
use crate::ports::{
    Clock, Codec, CodecError, Device, DeviceDone, DeviceWork, EngineError, Row, SequenceId, Step,
};

const STOP: u32 = 256;
const VOCABULARY: usize = 257;
const DIMENSIONS: usize = 64;

/// Bytes as tokens; token 256 ends the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandInCodec;

impl Codec for StandInCodec {
    fn encode_chat(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, CodecError> {
        let texts: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
        Ok(texts.join("\n").bytes().map(u32::from).collect())
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

/// A device that takes time but computes next to nothing.
pub struct StandInDevice {
    clock: Arc<dyn Clock>,
    rate: ServiceRate,
    /// One piece of work at a time, as on a device.
    turn: Arc<Queue<()>>,
    sequences: Arc<Mutex<HashMap<SequenceId, Sequence>>>,
}

#[derive(Default)]
struct Sequence {
    prompt: Vec<u8>,
    answer: Option<Vec<u8>>,
}

impl StandInDevice {
    /// An idle one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, rate: ServiceRate) -> Self {
        Self { clock, rate, turn: Arc::default(), sequences: Arc::default() }
    }
}

impl Device for StandInDevice {
    fn run(&self, work: DeviceWork) -> BoxFuture<'static, Result<DeviceDone, EngineError>> {
        let (clock, rate) = (Arc::clone(&self.clock), self.rate);
        let (turn, sequences) = (Arc::clone(&self.turn), Arc::clone(&self.sequences));
        Box::pin(async move {
            let _turn = turn.lock().await;
            match work {
                DeviceWork::Step(Step { released, rows, .. }) => {
                    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                    if count > 0 {
                        clock.sleep(rate.per_step + rate.per_row.saturating_mul(count)).await;
                    }
                    let mut sequences = sequences.lock();
                    for sequence in &released {
                        sequences.remove(sequence);
                    }
                    Ok(DeviceDone::Logits(step(&mut sequences, &rows)))
                }
                DeviceWork::Embed { texts } => {
                    clock.sleep(rate.per_step).await;
                    Ok(DeviceDone::Embeddings(texts.iter().map(|text| embed(text)).collect()))
                }
            }
        })
    }
}

fn step(sequences: &mut HashMap<SequenceId, Sequence>, rows: &[Row]) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    for row in rows {
        let sequence = sequences.entry(row.sequence).or_default();
        if sequence.answer.is_none() {
            sequence.prompt.push(u8::try_from(row.token).unwrap_or(b' '));
        }
        if row.wants_logits {
            let Sequence { prompt, answer } = sequence;
            let answer = answer.get_or_insert_with(|| compose(prompt));
            let at = (row.position as usize + 1).saturating_sub(prompt.len());
            let token = answer.get(at).map_or(STOP as usize, |byte| usize::from(*byte));
            let mut logits = vec![f32::NEG_INFINITY; VOCABULARY];
            logits[token] = 0.0;
            all.push(logits);
        }
    }
    all
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
