//! Texts that are written elsewhere: which requests go to the [`TextBackend`] next, and how one
//! ends. Only ModelWorker uses it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future;

use crate::domain::{Generation, Moment};
use crate::ports::{Clock, TextBackend, TextError, TextRequest};
use crate::runtime::{Reply, Slot};

use super::lanes::Lanes;
use super::meter::ModelMeter;
use super::requests::early_end;
use super::scheduler::{Refusal, SchedulerConfig, check_sampling};
use super::stop_strings::StopStrings;
use super::{Generate, ModelError};

/// More than any model's context holds.
const MOST_BYTES: usize = 4 << 20;

/// A request that waits or is under way.
pub(super) struct RemoteJob {
    pub(super) request: Generate,
    pub(super) reply: Reply<Result<Generation, ModelError>>,
    pub(super) slot: Slot,
    pub(super) asked: Moment,
}

impl RemoteJob {
    fn end(&self, now: Moment) -> Option<ModelError> {
        let unread = self.request.pieces.as_ref().is_some_and(tokio::sync::mpsc::Sender::is_closed);
        early_end(unread || self.reply.is_abandoned(), self.request.deadline, now)
    }
}

/// The requests, a queue a lane, and how many are under way.
#[derive(Default)]
pub(super) struct RemoteQueue {
    lanes: Lanes<RemoteJob>,
    under_way: usize,
}

impl RemoteQueue {
    /// Whether a request can be taken.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn check(
        &self,
        request: &Generate,
        config: &SchedulerConfig,
    ) -> Result<(), Refusal> {
        check(request, self.lanes.waiting(request.lane), config)
    }

    /// Queues a request.
    pub(super) fn push(&mut self, job: RemoteJob) {
        self.lanes.push(job.request.lane, job);
    }

    /// Takes out those that nobody waits for any more, with the reason.
    pub(super) fn take_out(&mut self, now: Moment) -> Vec<(RemoteJob, ModelError)> {
        let out = self.lanes.take_out(|job| job.end(now).is_some());
        let reason = |job: RemoteJob| job.end(now).map(|error| (job, error));
        out.into_iter().filter_map(reason).collect()
    }

    /// The next request to begin, if the backend has room for it.
    pub(super) fn begin(&mut self, capacity: usize) -> Option<RemoteJob> {
        if self.under_way >= capacity.max(1) {
            return None;
        }
        let job = self.lanes.turn(false).and_then(|lane| self.lanes.take(lane))?;
        self.under_way += 1;
        Some(job)
    }

    /// One that began has ended.
    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

fn check(request: &Generate, waiting: usize, config: &SchedulerConfig) -> Result<(), Refusal> {
    let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
    if request.messages.is_empty() {
        return Err(Refusal::Empty);
    }
    if bytes > MOST_BYTES {
        return Err(Refusal::TooManyBytes { bytes, most: MOST_BYTES });
    }
    check_sampling(&request.sampling)?;
    StopStrings::new(request.stop.clone())?;
    if waiting >= config.queue { Err(Refusal::QueueFull(waiting)) } else { Ok(()) }
}

/// Has one text written and answers. It ends early, and the backend's work with it, when nobody
/// waits any more.
pub(super) async fn write(
    backend: Arc<dyn TextBackend>,
    clock: Arc<dyn Clock>,
    meter: Arc<ModelMeter>,
    job: RemoteJob,
) {
    let RemoteJob { request, mut reply, slot, asked } = job;
    let Generate { messages, sampling, stop, deadline, pieces, lane: _ } = request;
    let began = clock.now();
    let unread = pieces.clone();
    let text = AssertUnwindSafe(async move {
        backend.generate(TextRequest { messages, sampling, stop }, pieces).await
    });
    let unread = async move {
        match &unread {
            Some(pieces) => pieces.closed().await,
            None => future::pending().await,
        }
    };
    let late = async {
        match deadline {
            Some(deadline) => clock.sleep(deadline.since(clock.now())).await,
            None => future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        ended = text.catch_unwind() => match ended {
            Ok(Ok(generation)) => Ok(generation),
            Ok(Err(error)) => Err(model_error(error)),
            Err(_) => Err(ModelError::Failed("the backend panicked".into())),
        },
        () = reply.abandoned() => Err(ModelError::Cancelled),
        () = unread => Err(ModelError::Cancelled),
        () = late => Err(ModelError::Deadline),
    };
    match &ended {
        Ok(generation) => {
            meter.prompt_tokens.add(generation.prompt_ids.len());
            meter.decoded_tokens.add(generation.generated_ids.len());
        }
        Err(error) => meter.ended_early(error),
    }
    let queued = began.since(asked);
    reply.send(ended.map(|generation| Generation { queued, ..generation }));
    drop(slot);
}

fn model_error(error: TextError) -> ModelError {
    match error {
        TextError::Request(cause) => ModelError::Request(cause),
        TextError::NotSent(cause) | TextError::Unavailable(cause) => ModelError::Failed(cause),
        TextError::Interrupted(cause) => ModelError::BrokeOff(cause),
    }
}
