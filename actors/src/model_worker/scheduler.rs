//! Which rows run in the next step: continuous batching, pure and without a clock.
//!
//! Sequences are admitted from three queues, one a lane, as soon as the KV cache has blocks for all
//! that they can ever need, and keep them until they end. A step holds one row for each sequence
//! that writes, and prompt rows up to a budget, so that a long prompt does not hold up those that
//! are writing. What a conversation waits for ([`Lane::Validator`]) is read first, and while it is
//! under way other prompts are read in sips. Only ModelWorker uses it.

mod request;
#[cfg(test)]
mod tests;

use crate::domain::{FinishReason, Lane};
use crate::ports::{BLOCK_TOKENS, Placement, Row, SequenceId, Step};

pub(super) use request::check_sampling;
pub use request::{Refusal, Request, SchedulerConfig};

use super::blocks::{Held, KvMemory, blocks_of};
use super::lanes::Lanes;
use super::sampling::Sampler;

/// A request outlives so many failures of the device at most: one that brings the device down
/// again and again ends with it.
const SURVIVALS: u32 = 2;

/// So many steps in a row may go by without a row for a prompt that is read in sips.
const THIRST: u32 = 4;

/// A request that ended, with what its asker handed in.
#[derive(Debug)]
pub struct Finished<T> {
    /// What was handed in.
    pub carried: T,
    /// The prompt.
    pub prompt_ids: Vec<u32>,
    /// The new tokens, the stop token included.
    pub generated_ids: Vec<u32>,
    /// Why it ended.
    pub reason: FinishReason,
}

/// What the device lost when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The rows of the failed step; the rest of its memory is as it was.
    Step,
    /// All keys and values: it was built anew.
    Memory,
    /// Everything, and it will not come back.
    Device,
}

/// The next step and what it is made of, in tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// What to run.
    pub step: Step,
    /// Of the sequences that begin with it.
    pub prompt: usize,
    /// Of these, those that need no row.
    pub cached: usize,
    /// Prompt rows.
    pub prefill: usize,
    /// Rows of sequences that write.
    pub decode: usize,
}

struct Work<T> {
    /// The prompt and what was written so far.
    tokens: Vec<u32>,
    prompt: usize,
    lane: Lane,
    limit: usize,
    sampler: Sampler,
    survived: u32,
    /// It and others began with a step that failed: the next time it begins by itself.
    alone: bool,
    carried: T,
}

struct Running<T> {
    sequence: SequenceId,
    held: Held,
    /// Positions that were run, those of the step under way included.
    run: usize,
    work: Work<T>,
}

impl<T> Work<T> {
    /// Positions that it can ever have: the last token that it writes needs none.
    fn positions(&self) -> usize {
        self.prompt + self.limit - 1
    }
}

impl<T> Running<T> {
    /// Whether it reads: its prompt, or after a failure of the device what it had written.
    fn reads(&self) -> bool {
        self.run < self.work.prompt || self.run + 1 < self.work.tokens.len()
    }
}

/// The state of the batch; `T` is what each asker hands in and gets back.
pub struct Scheduler<T> {
    config: SchedulerConfig,
    memory: KvMemory,
    lanes: Lanes<Work<T>>,
    running: Vec<Running<T>>,
    free: Vec<SequenceId>,
    released: Vec<SequenceId>,
    /// Which sequences the logits of the step under way belong to, in order.
    awaited: Vec<SequenceId>,
    /// Which sequences begin with the step under way.
    fresh: Vec<SequenceId>,
    /// Steps in a row in which prompts that are read in sips got nothing.
    thirst: u32,
}

impl<T> Scheduler<T> {
    /// Nothing runs, nothing waits.
    #[must_use]
    pub fn new(config: SchedulerConfig) -> Self {
        Self {
            config,
            memory: KvMemory::new(config.kv_blocks, config.prefix_cache),
            lanes: Lanes::default(),
            running: Vec::new(),
            free: (0..config.max_sequences).rev().map(SequenceId).collect(),
            released: Vec::new(),
            awaited: Vec::new(),
            fresh: Vec::new(),
            thirst: 0,
        }
    }

    /// Queues a request, to be cut off at the model's context.
    ///
    /// # Errors
    /// [`Refusal`], with what was handed in.
    pub fn submit(
        &mut self,
        request: Request,
        context_length: usize,
        carried: T,
    ) -> Result<(), (T, Refusal)> {
        let waiting = self.lanes.waiting(request.lane);
        let limit = match request.check(context_length, &self.config, waiting) {
            Ok(limit) => limit,
            Err(refusal) => return Err((carried, refusal)),
        };
        let sampler = Sampler::new(&request.sampling, &request.prompt_ids);
        let work = Work {
            prompt: request.prompt_ids.len(),
            tokens: request.prompt_ids,
            lane: request.lane,
            limit,
            sampler,
            survived: 0,
            alone: false,
            carried,
        };
        self.lanes.push(request.lane, work);
        Ok(())
    }

    /// Takes out every request that `gone` says; those that ran leave their place and their blocks
    /// at the next step. Not while a step is under way.
    pub fn take_out(&mut self, gone: impl Fn(&T) -> bool) -> Vec<T> {
        let queued = self.lanes.take_out(|work| gone(&work.carried));
        let mut out: Vec<T> = queued.into_iter().map(|work| work.carried).collect();
        let (leave, stay) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|running: &Running<T>| gone(&running.work.carried));
        self.running = stay;
        out.extend(leave.into_iter().map(|running| self.leave(running).carried));
        out
    }

    /// Admits what there is room for and lays out the next step. `None` if there is nothing to do.
    pub fn next_step(&mut self) -> Option<Laid> {
        let placed = self.admit();
        self.fresh = placed.iter().map(|placement| placement.sequence).collect();
        let of_fresh = |running: &&Running<T>| self.fresh.contains(&running.sequence);
        let begun = self.running.iter().filter(of_fresh);
        let (prompt, cached) = begun.fold((0, 0), |(prompt, cached), running| {
            (prompt + running.work.tokens.len(), cached + running.held.cached())
        });
        let mut rows = Vec::new();
        let writers = self.running.iter_mut().filter(|running| !running.reads());
        writers.for_each(|running| run_on(running, 1, &mut rows));
        let decode = rows.len();
        self.read(&mut rows);
        let wanted = rows.iter().filter(|row| row.wants_logits);
        self.awaited = wanted.map(|row| row.sequence).collect();
        let prefill = rows.len() - decode;
        let step = Step { released: std::mem::take(&mut self.released), placed, rows };
        let idle = step.rows.is_empty() && step.released.is_empty();
        (!idle).then_some(Laid { step, prompt, cached, prefill, decode })
    }

    /// How many rows of the step under way want logits.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.awaited.len()
    }

    /// Takes the logits of the step that [`Self::next_step`] laid out, as many as it
    /// [awaits](Self::awaited), and draws the next tokens. `on_token` sees each with what its asker
    /// handed in and says whether the text ends with it. Gives back what ended.
    pub fn apply(
        &mut self,
        logits: &[Vec<f32>],
        mut on_token: impl FnMut(&mut T, u32) -> Option<FinishReason>,
    ) -> Vec<Finished<T>> {
        self.fresh.clear();
        for running in &mut self.running {
            self.memory.computed(&mut running.held, &running.work.tokens[..running.run]);
        }
        let mut finished = Vec::new();
        for (sequence, logits) in std::mem::take(&mut self.awaited).into_iter().zip(logits) {
            let Some(index) = self.running.iter().position(|r| r.sequence == sequence) else {
                continue;
            };
            let work = &mut self.running[index].work;
            let reason = match work.sampler.pick(logits) {
                // A model without a vocabulary has nothing more to say.
                None => Some(FinishReason::Stop),
                Some(id) => {
                    work.tokens.push(id);
                    let full = work.tokens.len() >= work.prompt + work.limit;
                    on_token(&mut work.carried, id).or(full.then_some(FinishReason::Length))
                }
            };
            if let Some(reason) = reason {
                let ended = self.running.remove(index);
                let Work { mut tokens, prompt, carried, .. } = self.leave(ended);
                let generated_ids = tokens.split_off(prompt);
                finished.push(Finished { carried, prompt_ids: tokens, generated_ids, reason });
            }
        }
        finished
    }

    /// The device failed in the step under way, or between steps. Gives back what was handed in
    /// for the requests that end with it: one that alone began with that step, and those that have
    /// been through this too often. The others wait for their turn again, before all that never
    /// ran, and go on where they were; several that began together will begin one by one.
    pub fn device_failed(&mut self, loss: Loss) -> Vec<T> {
        self.awaited.clear();
        let suspects = std::mem::take(&mut self.fresh);
        let mut ended = Vec::new();
        for running in std::mem::take(&mut self.running).into_iter().rev() {
            let suspect = suspects.contains(&running.sequence);
            let mut work = self.leave(running);
            let to_blame = suspect && suspects.len() == 1;
            if to_blame || work.survived >= SURVIVALS || loss == Loss::Device {
                ended.push(work.carried);
            } else {
                work.survived += 1;
                work.alone |= suspect;
                self.lanes.push_first(work.lane, work);
            }
        }
        if loss != Loss::Step {
            self.memory.forget();
        }
        ended
    }

    /// Shows what was handed in for each sequence that runs.
    pub fn each_running(&mut self, see: impl FnMut(&mut T)) {
        self.running.iter_mut().map(|running| &mut running.work.carried).for_each(see);
    }

    /// Blocks of the KV cache that a new sequence could have.
    #[must_use]
    pub fn blocks_available(&self) -> usize {
        self.memory.available()
    }

    fn leave(&mut self, running: Running<T>) -> Work<T> {
        self.released.push(running.sequence);
        self.free.push(running.sequence);
        self.memory.end(running.held);
        running.work
    }

    /// The first of the lane in turn waits until it fits; nobody overtakes it, or it might wait for
    /// ever.
    fn admit(&mut self) -> Vec<Placement> {
        let mut placed = Vec::new();
        while let Some(&sequence) = self.free.last() {
            let Some(lane) = self.lanes.turn(self.miners_first()) else { break };
            let Some(next) = self.lanes.first(lane) else { break };
            let alone = next.alone;
            if self.is_being_read(next) || (alone && !placed.is_empty()) {
                break;
            }
            let Some(held) = self.memory.admit(&next.tokens, next.positions()) else { break };
            let Some(work) = self.lanes.take(lane) else { break };
            self.free.pop();
            placed.push(Placement {
                sequence,
                blocks: held.blocks().to_vec(),
                cached: u32::try_from(held.cached()).unwrap_or(u32::MAX),
            });
            self.running.push(Running { sequence, run: held.cached(), held, work });
            if alone {
                break;
            }
        }
        placed
    }

    /// Whether a sequence that is at least as urgent is reading blocks right now that this one
    /// begins with too: soon it can have them for nothing.
    fn is_being_read(&self, next: &Work<T>) -> bool {
        if !self.config.prefix_cache {
            return false;
        }
        let known = self.memory.known_blocks(&next.tokens);
        let urgent = |lane| lane == next.lane || lane == Lane::Validator;
        let mut readers = self.running.iter().filter(|r| r.reads() && urgent(r.work.lane));
        readers.any(|reader| common_blocks(&reader.work.tokens, &next.tokens) > known)
    }

    /// Miners go first if they are under their share and the rest is taken.
    fn miners_first(&self) -> bool {
        let miners = self.running.iter().filter(|r| r.work.lane == Lane::Miner).count();
        let others = self.running.len() - miners;
        self.config.miners_first(miners, others)
    }

    /// Lays out prompt rows: the validator's first, then sips of the others', unless these had
    /// nothing for too long.
    fn read(&mut self, rows: &mut Vec<Row>) {
        let reads = |urgent: bool| {
            move |r: &&mut Running<T>| r.reads() && (r.work.lane == Lane::Validator) == urgent
        };
        let waited_for = self.running.iter().any(|r| r.work.lane == Lane::Validator);
        let budget = self.config.prefill_rows.max(1);
        let sip = if waited_for { self.config.sip_rows.max(1).min(budget) } else { budget };
        let kept_back = if self.thirst >= THIRST { sip } else { 0 };

        let mut left = budget;
        let mut urgent = budget - kept_back;
        for running in self.running.iter_mut().filter(reads(true)) {
            let before = rows.len();
            run_on(running, urgent, rows);
            urgent -= rows.len() - before;
            left -= rows.len() - before;
        }
        let mut sip = sip.min(left);
        let (mut others, before_others) = (false, rows.len());
        for running in self.running.iter_mut().filter(reads(false)) {
            let before = rows.len();
            run_on(running, sip, rows);
            sip -= rows.len() - before;
            others = true;
        }
        let got_nothing = others && rows.len() == before_others;
        self.thirst = if got_nothing { self.thirst + 1 } else { 0 };
    }
}

/// Adds the next rows of a sequence, so many at most; the last token that it has wants logits.
fn run_on<T>(running: &mut Running<T>, allowed: usize, rows: &mut Vec<Row>) {
    let tokens = &running.work.tokens;
    let end = tokens.len().min(running.run + allowed);
    for (position, token) in (0_u32..).zip(tokens).take(end).skip(running.run) {
        let wants_logits = position as usize + 1 == tokens.len();
        rows.push(Row { sequence: running.sequence, position, token: *token, wants_logits });
    }
    running.run = end;
}

/// How many whole blocks two sequences have in common that the second could take from the first.
fn common_blocks(first: &[u32], second: &[u32]) -> usize {
    let second = &second[..second.len().saturating_sub(1)];
    let blocks = first.chunks_exact(BLOCK_TOKENS).zip(second.chunks_exact(BLOCK_TOKENS));
    blocks.take_while(|(one, other)| one == other).count()
}
