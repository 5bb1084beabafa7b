//! Which rows run in the next step: continuous batching, pure and without a clock.
//!
//! Sequences are admitted from three queues, one a lane, and keep their place in the KV cache until
//! they end. A step holds one decode row for each sequence past its prompt, and prompt rows up to a
//! budget, so that a long prompt does not hold up those that are writing. What a conversation waits
//! for ([`Lane::Validator`]) is read first, and while it is under way other prompts are read in
//! sips. Only ModelWorker uses it.

use std::collections::VecDeque;

use crate::domain::{FinishReason, Lane, Sampling};
use crate::ports::{Row, SequenceId};

use super::sampling::Sampler;

/// How requests are batched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// Sequences that run at once, at most.
    pub max_sequences: u32,
    /// Of these, so many may be miners' while validator's requests wait, and the other way round
    /// the rest.
    pub miner_share: u32,
    /// Prompt rows in one step, at most.
    pub prefill_rows: usize,
    /// Of these, so many for others than the validator's lane while that is under way.
    pub sip_rows: usize,
    /// Requests that wait, at most, in each lane.
    pub queue: usize,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The prompt; not empty.
    pub prompt_ids: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// On whose behalf.
    pub lane: Lane,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing to continue.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// No room for a single new token.
    #[error("the prompt has {prompt} tokens, the model's context holds {context}")]
    TooLong {
        /// Its tokens.
        prompt: usize,
        /// The model's limit.
        context: usize,
    },
    /// No token is wanted.
    #[error("no new tokens are wanted")]
    NoTokens,
    /// Too many wait already.
    #[error("{0} requests wait already")]
    QueueFull(usize),
}

/// A request that ended, with what its asker handed in.
#[derive(Debug)]
pub struct Finished<T> {
    /// What was handed in.
    pub carried: T,
    /// The new tokens, the stop token included.
    pub generated_ids: Vec<u32>,
    /// Why it ended.
    pub reason: FinishReason,
}

struct Queued<T> {
    request: Request,
    limit: usize,
    carried: T,
}

struct Running<T> {
    sequence: SequenceId,
    lane: Lane,
    prompt: Vec<u32>,
    prefilled: usize,
    generated: Vec<u32>,
    limit: usize,
    sampler: Sampler,
    carried: T,
}

/// The state of the batch; `T` is what each asker hands in and gets back.
pub struct Scheduler<T> {
    config: SchedulerConfig,
    validator: VecDeque<Queued<T>>,
    reference: VecDeque<Queued<T>>,
    miner: VecDeque<Queued<T>>,
    running: Vec<Running<T>>,
    free: Vec<SequenceId>,
    released: Vec<SequenceId>,
    /// Which sequences the logits of the step under way belong to, in order.
    awaited: Vec<SequenceId>,
}

impl<T> Scheduler<T> {
    /// Nothing runs, nothing waits.
    #[must_use]
    pub fn new(config: SchedulerConfig) -> Self {
        Self {
            config,
            validator: VecDeque::new(),
            reference: VecDeque::new(),
            miner: VecDeque::new(),
            running: Vec::new(),
            free: (0..config.max_sequences).rev().map(SequenceId).collect(),
            released: Vec::new(),
            awaited: Vec::new(),
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
        let prompt = request.prompt_ids.len();
        let limit = request.sampling.max_new_tokens.min(context_length.saturating_sub(prompt));
        let queue = match request.lane {
            Lane::Validator => &mut self.validator,
            Lane::Reference => &mut self.reference,
            Lane::Miner => &mut self.miner,
        };
        let refusal = if prompt == 0 {
            Refusal::EmptyPrompt
        } else if request.sampling.max_new_tokens == 0 {
            Refusal::NoTokens
        } else if limit == 0 {
            Refusal::TooLong { prompt, context: context_length }
        } else if queue.len() >= self.config.queue {
            Refusal::QueueFull(queue.len())
        } else {
            queue.push_back(Queued { request, limit, carried });
            return Ok(());
        };
        Err((carried, refusal))
    }

    /// Forgets every request that `abandoned` says nobody waits for; those that ran leave their
    /// place at the next step.
    pub fn drop_abandoned(&mut self, abandoned: impl Fn(&T) -> bool) {
        for queue in [&mut self.validator, &mut self.reference, &mut self.miner] {
            queue.retain(|queued| !abandoned(&queued.carried));
        }
        let (gone, kept) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|running: &Running<T>| abandoned(&running.carried));
        self.running = kept;
        for running in gone {
            self.release(running.sequence);
        }
    }

    /// Admits what there is room for and lays out the next step: sequences to forget, rows to run.
    /// `None` if there is nothing to do.
    pub fn next_step(&mut self) -> Option<(Vec<SequenceId>, Vec<Row>)> {
        self.admit();
        let mut rows = Vec::new();
        let mut awaited = Vec::new();
        for running in &self.running {
            if let Some(&last) = running.generated.last() {
                let position = running.prompt.len() + running.generated.len() - 1;
                rows.push(row(running.sequence, position, last, true));
                awaited.push(running.sequence);
            }
        }
        let waited_for = self.running.iter().any(|running| running.lane == Lane::Validator);
        let mut budget = self.config.prefill_rows.max(1);
        let mut sips = if waited_for { self.config.sip_rows.max(1).min(budget) } else { budget };
        let urgent_first =
            |urgent: bool| move |r: &&mut Running<T>| (r.lane == Lane::Validator) == urgent;
        for urgent in [true, false] {
            let prompts = self.running.iter_mut().filter(urgent_first(urgent));
            for running in prompts.filter(|running| running.prefilled < running.prompt.len()) {
                let allowed = if urgent { budget } else { sips.min(budget) };
                let end = running.prompt.len().min(running.prefilled + allowed);
                for position in running.prefilled..end {
                    let last = position + 1 == running.prompt.len();
                    rows.push(row(running.sequence, position, running.prompt[position], last));
                    if last {
                        awaited.push(running.sequence);
                    }
                }
                let taken = end - running.prefilled;
                budget -= taken;
                sips = if urgent { sips } else { sips - taken };
                running.prefilled = end;
            }
        }
        self.awaited = awaited;
        let released = std::mem::take(&mut self.released);
        (!rows.is_empty() || !released.is_empty()).then_some((released, rows))
    }

    /// Takes the logits of the step that [`Self::next_step`] laid out and draws the next tokens.
    /// Gives back what ended. `on_token` sees what was handed in for each sequence that got one.
    pub fn apply(
        &mut self,
        logits: &[Vec<f32>],
        is_stop: impl Fn(u32) -> bool,
        mut on_token: impl FnMut(&mut T),
    ) -> Vec<Finished<T>> {
        let mut finished = Vec::new();
        for (sequence, logits) in std::mem::take(&mut self.awaited).into_iter().zip(logits) {
            let Some(index) = self.running.iter().position(|r| r.sequence == sequence) else {
                continue;
            };
            let running = &mut self.running[index];
            let token = running.sampler.pick(logits);
            on_token(&mut running.carried);
            let reason = match token {
                // A model without a vocabulary has nothing more to say.
                None => Some(FinishReason::Stop),
                Some(id) => {
                    running.generated.push(id);
                    let full = running.generated.len() >= running.limit;
                    let length = full.then_some(FinishReason::Length);
                    if is_stop(id) { Some(FinishReason::Stop) } else { length }
                }
            };
            if let Some(reason) = reason {
                let ended = self.running.remove(index);
                self.release(ended.sequence);
                finished.push(Finished {
                    carried: ended.carried,
                    generated_ids: ended.generated,
                    reason,
                });
            }
        }
        finished
    }

    /// Ends everything that runs: the device has forgotten it. Gives back what was handed in.
    pub fn fail_running(&mut self) -> Vec<T> {
        self.awaited.clear();
        let ended: Vec<_> = std::mem::take(&mut self.running);
        for running in &ended {
            self.release(running.sequence);
        }
        ended.into_iter().map(|running| running.carried).collect()
    }

    /// Shows what was handed in for each sequence that runs.
    pub fn each_running(&mut self, see: impl FnMut(&mut T)) {
        self.running.iter_mut().map(|running| &mut running.carried).for_each(see);
    }

    fn release(&mut self, sequence: SequenceId) {
        self.released.push(sequence);
        self.free.push(sequence);
    }

    fn admit(&mut self) {
        while let Some(&sequence) = self.free.last() {
            let Some(queued) = self.next_queued() else { break };
            self.free.pop();
            let Queued { request, limit, carried } = queued;
            self.running.push(Running {
                sequence,
                lane: request.lane,
                prompt: request.prompt_ids,
                prefilled: 0,
                generated: Vec::new(),
                limit,
                sampler: Sampler::new(&request.sampling),
                carried,
            });
        }
    }

    /// The next request in turn: miners' if they are under their share and the rest is taken, else
    /// what is waited for, then references, then miners'. A lane takes over what others leave.
    fn next_queued(&mut self) -> Option<Queued<T>> {
        let miners = self.running.iter().filter(|running| running.lane == Lane::Miner).count();
        let share = usize::try_from(self.config.miner_share).unwrap_or(usize::MAX);
        let others = self.running.len() - miners;
        let rest = (self.config.max_sequences.saturating_sub(self.config.miner_share)) as usize;
        let miner_first = miners < share && others >= rest;
        let mut queues = [&mut self.validator, &mut self.reference, &mut self.miner];
        if miner_first {
            queues.rotate_right(1);
        }
        queues.into_iter().find_map(VecDeque::pop_front)
    }
}

fn row(sequence: SequenceId, position: usize, token: u32, wants_logits: bool) -> Row {
    Row { sequence, position: u32::try_from(position).unwrap_or(u32::MAX), token, wants_logits }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: SchedulerConfig = SchedulerConfig {
        max_sequences: 3,
        miner_share: 1,
        prefill_rows: 4,
        sip_rows: 2,
        queue: 8,
    };

    fn request(prompt: usize, max_new_tokens: usize, lane: Lane) -> Request {
        let sampling = Sampling::greedy(max_new_tokens);
        Request { prompt_ids: vec![7; prompt], sampling, lane }
    }

    fn scheduler(requests: &[(usize, usize, Lane)]) -> Scheduler<usize> {
        let mut scheduler = Scheduler::new(CONFIG);
        for (name, (prompt, new, lane)) in requests.iter().enumerate() {
            scheduler.submit(request(*prompt, *new, *lane), 100, name).unwrap();
        }
        scheduler
    }

    /// Runs steps until nothing is left; every token is `5`. Gives the ends in order.
    fn drain(scheduler: &mut Scheduler<usize>) -> Vec<Finished<usize>> {
        let mut ended = Vec::new();
        while let Some((_, rows)) = scheduler.next_step() {
            let wanted = rows.iter().filter(|row| row.wants_logits).count();
            let logits = vec![vec![0.0, 0.0, 0.0, 0.0, 0.0, 9.0]; wanted];
            ended.extend(scheduler.apply(&logits, |id| id == 0, |_| {}));
        }
        ended
    }

    #[test]
    fn a_long_prompt_is_read_in_pieces_while_others_write() {
        let mut scheduler = scheduler(&[(2, 9, Lane::Validator), (9, 9, Lane::Validator)]);
        let (_, rows) = scheduler.next_step().unwrap();
        assert_eq!(rows.len(), 4, "two rows of the first, two of the second: {rows:?}");
        scheduler.apply(&[vec![0.0, 1.0]], |_| false, |_| {});
        let (_, rows) = scheduler.next_step().unwrap();
        let decode: Vec<_> = rows.iter().filter(|row| row.wants_logits).collect();
        assert_eq!((rows.len(), decode.len()), (5, 1), "one decode row and four of the prompt");
        assert_eq!((decode[0].position, decode[0].token), (2, 1));
    }

    #[test]
    fn what_is_waited_for_is_read_first_and_others_sip() {
        let lanes = [Lane::Miner, Lane::Reference, Lane::Validator];
        let mut scheduler = scheduler(&lanes.map(|lane| (9, 9, lane)));
        let mut of_others = Vec::new();
        for _ in 0..2 {
            let (_, rows) = scheduler.next_step().unwrap();
            of_others.push(rows.iter().filter(|row| row.sequence != SequenceId(0)).count());
        }
        assert_eq!(of_others, [0, 0], "the validator's prompt takes the whole budget");
        let (_, rows) = scheduler.next_step().unwrap();
        assert_eq!(rows.len(), 3, "its last row, and two of the others: {rows:?}");
        scheduler.apply(&[vec![0.0, 1.0]], |_| false, |_| {});
        let (_, rows) = scheduler.next_step().unwrap();
        assert_eq!(rows.len(), 3, "it writes, the others sip: {rows:?}");
    }

    #[test]
    fn every_request_ends_with_as_many_tokens_as_it_may_have() {
        let lanes = [Lane::Validator, Lane::Miner];
        let requests: Vec<_> = (0..8).map(|n| (1 + n, 2 + n, lanes[n % 2])).collect();
        let mut ended = drain(&mut scheduler(&requests));
        ended.sort_by_key(|finished| finished.carried);
        let lengths: Vec<_> = ended.iter().map(|finished| finished.generated_ids.len()).collect();
        assert_eq!(lengths, (2..10).collect::<Vec<_>>());
        assert!(ended.iter().all(|finished| finished.reason == FinishReason::Length));
    }

    #[test]
    fn a_stop_token_ends_a_sequence_and_frees_its_place() {
        let mut scheduler = scheduler(&[(1, 9, Lane::Validator)]);
        scheduler.next_step().unwrap();
        let ended = scheduler.apply(&[vec![9.0]], |id| id == 0, |_| {});
        assert_eq!((ended[0].reason, &ended[0].generated_ids), (FinishReason::Stop, &vec![0]));
        assert_eq!(scheduler.next_step(), Some((vec![SequenceId(0)], vec![])));
        assert_eq!(scheduler.next_step(), None);
    }

    #[test]
    fn neither_lane_keeps_the_other_out() {
        let crowd = |first, second| {
            let mut requests = vec![(1, 9, first); 5];
            requests.push((1, 1, second));
            let mut scheduler = scheduler(&requests);
            drain(&mut scheduler).iter().position(|finished| finished.carried == 5)
        };
        assert_eq!(crowd(Lane::Miner, Lane::Validator), Some(0), "a validator among miners");
        assert!(crowd(Lane::Validator, Lane::Miner).unwrap() <= 2, "a miner among validators");
    }

    #[test]
    fn what_nobody_waits_for_is_dropped_whether_queued_or_running() {
        let mut scheduler = scheduler(&[(1, 9, Lane::Miner); 5]);
        scheduler.next_step().unwrap();
        scheduler.drop_abandoned(|name| *name != 4);
        let ended = drain(&mut scheduler);
        assert_eq!(ended.iter().map(|finished| finished.carried).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn refuses_what_cannot_be_continued() {
        let mut scheduler = Scheduler::new(SchedulerConfig { queue: 1, ..CONFIG });
        let mut refusal = |prompt, new| {
            let submitted = scheduler.submit(request(prompt, new, Lane::Miner), 10, ());
            submitted.err().map(|(_, refusal)| refusal)
        };
        assert_eq!(refusal(0, 5), Some(Refusal::EmptyPrompt));
        assert_eq!(refusal(10, 5), Some(Refusal::TooLong { prompt: 10, context: 10 }));
        assert_eq!(refusal(3, 0), Some(Refusal::NoTokens));
        assert_eq!(refusal(3, 5), None);
        assert_eq!(refusal(3, 5), Some(Refusal::QueueFull(1)));
    }

    #[test]
    fn a_device_failure_ends_what_ran_and_keeps_what_waits() {
        let mut scheduler = scheduler(&[(1, 2, Lane::Validator); 5]);
        scheduler.next_step().unwrap();
        assert_eq!(scheduler.fail_running().len(), 3);
        assert_eq!(drain(&mut scheduler).len(), 2);
    }
}
