//! A bounded door to an actor: the only way to send it anything.
//!
//! actix mailboxes bound nothing (`actors/tests/actix_semantics.rs`), so a permit is taken before
//! a message enters one. The permit travels inside the message and comes back when the work is
//! done, skipped, or dropped by a dying mailbox: queued and running work count together. So does
//! the [`Reply`]: whoever ends up with the work answers the asker, from wherever that is.

use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use futures_util::future;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::Moment;
use crate::ports::{Clock, in_time};

use super::gauge::Gauge;

/// One place in a port; it is free again when this is dropped.
pub struct Slot {
    gauge: Arc<Gauge>,
    clock: Arc<dyn Clock>,
    taken: Moment,
    _permit: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({})", self.gauge.name)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.gauge.held_for(self.clock.now().since(self.taken));
    }
}

/// A sender who waits for a slot; its time is counted when it waits no longer.
struct Wait<'a> {
    gauge: &'a Gauge,
    clock: &'a dyn Clock,
    began: Moment,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.gauge.waited_for(self.clock.now().since(self.began));
    }
}

/// Where the answer to a message goes; a dropped one tells the asker that there will be none.
#[derive(Debug)]
pub struct Reply<T>(Option<oneshot::Sender<T>>);

impl<T> Reply<T> {
    /// Answers. Nothing happens if nobody waits any more, or if the message was pushed.
    pub fn send(self, answer: T) {
        if let Some(asker) = self.0 {
            let _ = asker.send(answer);
        }
    }

    /// Whether there was an asker and it waits no longer: work for it can stop.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.0.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    /// Resolves when [`Self::is_abandoned`] becomes true; never for a message that was pushed.
    pub async fn abandoned(&mut self) {
        match &mut self.0 {
            Some(asker) => asker.closed().await,
            None => future::pending().await,
        }
    }
}

/// A message on its way through a port.
#[derive(Debug)]
pub struct Job<M: Message> {
    /// What was sent.
    pub message: M,
    /// Where the answer goes.
    pub reply: Reply<M::Result>,
    /// Its place in the port: keep it until the work is done.
    pub slot: Slot,
}

impl<M: Message> Message for Job<M> {
    type Result = ();
}

/// The port was full; the message comes back.
#[derive(Debug)]
pub struct Refused<M>(pub M);

/// Why an ask has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The deadline passed before there was a free slot or an answer.
    #[error("no answer in time")]
    Deadline,
    /// The actor crashed on this message or was restarted; asking again may succeed.
    #[error("the actor was restarted")]
    Interrupted,
    /// The actor is gone for good.
    #[error("the actor is gone")]
    Gone,
}

/// A bounded door to one kind of message of one actor. Clones share its slots.
pub struct Port<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    recipient: Recipient<Job<M>>,
    slots: Arc<Semaphore>,
    gauge: Arc<Gauge>,
    clock: Arc<dyn Clock>,
}

impl<M> Clone for Port<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn clone(&self) -> Self {
        Self {
            recipient: self.recipient.clone(),
            slots: Arc::clone(&self.slots),
            gauge: Arc::clone(&self.gauge),
            clock: Arc::clone(&self.clock),
        }
    }
}

impl<M> Port<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    pub(super) fn new(
        recipient: Recipient<Job<M>>,
        actor: &str,
        capacity: usize,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let capacity = capacity.max(1);
        let message = std::any::type_name::<M>().rsplit("::").next().unwrap_or("message");
        let slots = Arc::new(Semaphore::new(capacity));
        let gauge = Gauge::new(
            format!("{actor}.{message}"),
            actor.to_owned(),
            capacity,
            Arc::clone(&slots),
        );
        Self { recipient, slots, gauge: Arc::new(gauge), clock }
    }

    /// Sends if there is a free slot.
    ///
    /// # Errors
    /// [`Refused`] with the message if there is none: the sender decides what becomes of it.
    pub fn offer(&self, message: M) -> Result<(), Refused<M>> {
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(permit) => {
                self.recipient.do_send(self.job(message, permit, None));
                Ok(())
            }
            Err(_) => Err(Refused(message)),
        }
    }

    /// Sends as soon as there is a free slot; this wait is the back-pressure.
    pub async fn push(&self, message: M) {
        if let Some(permit) = self.slot().await {
            self.recipient.do_send(self.job(message, permit, None));
        }
    }

    /// Sends and waits for the answer, both until `deadline`.
    ///
    /// # Errors
    /// [`AskError`] by what the asker can do about it.
    pub async fn ask(&self, message: M, deadline: Moment) -> Result<M::Result, AskError> {
        let patience = deadline.since(self.clock.now());
        let answer = async {
            let Some(permit) = self.slot().await else { return Err(AskError::Gone) };
            let (asker, answer) = oneshot::channel();
            self.recipient.do_send(self.job(message, permit, Some(asker)));
            match answer.await {
                Ok(answer) => Ok(answer),
                Err(_) if self.recipient.connected() => Err(AskError::Interrupted),
                Err(_) => Err(AskError::Gone),
            }
        };
        in_time(&*self.clock, patience, answer).await.unwrap_or(Err(AskError::Deadline))
    }

    /// Asks again while the actor is restarted under the question, three times at the most. Only
    /// for messages that may be handled twice.
    ///
    /// # Errors
    /// [`AskError`], as of the last try.
    pub async fn ask_again(&self, message: M, deadline: Moment) -> Result<M::Result, AskError>
    where
        M: Clone,
    {
        const TRIES: u32 = 3;
        for _ in 1..TRIES {
            match self.ask(message.clone(), deadline).await {
                Err(AskError::Interrupted) => {}
                ended => return ended,
            }
        }
        self.ask(message, deadline).await
    }

    /// `actor.Message`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.gauge.name
    }

    /// The most slots that were ever in use at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.gauge.peak()
    }

    /// How many slots are in use.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.gauge.in_use()
    }

    /// A deadline `patience` from now, for [`Self::ask`].
    #[must_use]
    pub fn within(&self, patience: Duration) -> Moment {
        self.clock.now().after(patience)
    }

    pub(super) fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// A free slot; the wait for it is counted, that of a sender who gives up too.
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let _wait = Wait { gauge: &self.gauge, clock: &*self.clock, began: self.clock.now() };
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    fn job(
        &self,
        message: M,
        permit: OwnedSemaphorePermit,
        asker: Option<oneshot::Sender<M::Result>>,
    ) -> Job<M> {
        self.gauge.sent();
        let (gauge, clock) = (Arc::clone(&self.gauge), Arc::clone(&self.clock));
        let slot = Slot { gauge, taken: clock.now(), clock, _permit: permit };
        Job { message, reply: Reply(asker), slot }
    }
}
