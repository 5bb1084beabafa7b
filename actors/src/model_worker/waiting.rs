//! An asker that waits for a text, and what was written for it so far. Only ModelWorker uses it.

use crate::domain::{FinishReason, Generation, Moment};
use crate::ports::Codec;
use crate::runtime::{Reply, Slot};

use super::outbox::Outbox;
use super::requests::early_end;
use super::scheduler::Finished;
use super::text_stream::TextStream;
use super::{Generate, ModelError};

/// What the scheduler carries for an asker.
pub(super) struct Waiting {
    reply: Reply<Result<Generation, ModelError>>,
    stream: TextStream,
    outbox: Option<Outbox>,
    deadline: Option<Moment>,
    asked: Moment,
    admitted: Option<Moment>,
    first_token: Option<Moment>,
    _slot: Slot,
}

impl Waiting {
    pub(super) fn new(
        request: Generate,
        stream: TextStream,
        reply: Reply<Result<Generation, ModelError>>,
        slot: Slot,
        asked: Moment,
    ) -> Self {
        Self {
            reply,
            stream,
            outbox: request.pieces.map(Outbox::new),
            deadline: request.deadline,
            asked,
            admitted: None,
            first_token: None,
            _slot: slot,
        }
    }

    /// Why nothing more is to be written, if so.
    pub(super) fn end(&self, now: Moment) -> Option<ModelError> {
        let unread = self.outbox.as_ref().is_some_and(Outbox::is_closed);
        early_end(unread || self.reply.is_abandoned(), self.deadline, now)
    }

    pub(super) fn admitted(&mut self, now: Moment) {
        self.admitted.get_or_insert(now);
    }

    /// Takes a token and sends on what became text. The reason if the text ends with it.
    pub(super) fn token(
        &mut self,
        codec: &dyn Codec,
        token: u32,
        now: Moment,
    ) -> Option<FinishReason> {
        self.first_token.get_or_insert(now);
        if codec.is_stop(token) {
            return Some(FinishReason::Stop);
        }
        let stopped = self.stream.push(codec, token);
        if let Some(outbox) = &mut self.outbox {
            outbox.offer(&self.stream.next_piece());
        }
        stopped.then_some(FinishReason::Stop)
    }

    pub(super) fn fail(self, error: ModelError) {
        self.reply.send(Err(error));
    }

    /// Answers; the last piece goes before the answer.
    pub(super) fn answer(finished: Finished<Self>, codec: &dyn Codec, now: Moment) {
        let Finished { carried, prompt_ids, generated_ids, reason } = finished;
        let (text, rest) = carried.stream.finish(codec);
        if let Some(outbox) = carried.outbox {
            outbox.finish(&rest);
        }
        let admitted = carried.admitted.unwrap_or(carried.asked);
        let first = carried.first_token.unwrap_or(now);
        carried.reply.send(Ok(Generation {
            text,
            prompt_ids,
            generated_ids,
            billed_tokens: None,
            finish_reason: reason,
            queued: admitted.since(carried.asked),
            prefill: first.since(admitted),
            decode: now.since(first),
        }));
    }
}
