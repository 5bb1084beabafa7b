//! Supervision: catches an actor's panic, waits, and restarts it behind the same address.
//!
//! actix's own `Supervisor` restarts an actor that stops, never one that panics; a panic kills it
//! silently, with its mailbox. A [`Guardian`] owns the actor's context future and polls it inside
//! `catch_unwind`: the mailbox stays open, the messages behind the crash reach the next generation,
//! and only the message that crashed is lost (its asker is told at once).

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix::dev::ContextFut;
use actix::{Actor, ActorContext, Addr, Context, Supervised};
use futures_util::future::BoxFuture;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tracing::Span;

use super::kill_switch::{Fault, FaultKind};
use super::overseer::Overseer;
use super::policy::{Budget, RestartPolicy};
use super::progress::Progress;
use super::tasks::panic_text;

/// The future of one supervised actor; it ends when the actor is stopped or given up.
pub(super) struct Guardian<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    name: String,
    actor: Option<ContextFut<A, Context<A>>>,
    /// actix restarts nobody who cannot be reached, and some actors have no port at all.
    _address: Addr<A>,
    state: State,
    budget: Budget,
    progress: Progress,
    overseer: Overseer,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    span: Span,
}

enum State {
    Running,
    BackingOff(BoxFuture<'static, ()>),
}

impl<A> Guardian<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    pub(super) fn new(
        name: String,
        address: Addr<A>,
        actor: ContextFut<A, Context<A>>,
        policy: RestartPolicy,
        overseer: Overseer,
    ) -> Self {
        let seed = name.bytes().fold(0, |sum: u64, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        let progress = Progress::new(overseer.clock());
        overseer.roster().running(&name, &progress);
        Self {
            span: tracing::info_span!("actor", actor = %name),
            name,
            actor: Some(actor),
            _address: address,
            state: State::Running,
            budget: Budget::new(policy, seed),
            progress,
            killed: Box::pin(overseer.kill().token().clone().cancelled_owned()),
            overseer,
        }
    }

    fn crashed(&mut self, cause: &str) -> Poll<()> {
        let pause = self.budget.charge(self.overseer.clock().now());
        self.overseer.roster().crashed(&self.name, cause, pause);
        match pause {
            Some(pause) => {
                self.state = State::BackingOff(self.overseer.clock().sleep(pause));
                Poll::Pending
            }
            None => {
                self.discard();
                self.overseer.kill().trip(Fault {
                    kind: FaultKind::GaveUp,
                    part: self.name.clone(),
                    cause: format!("crashed too often, last with: {cause}"),
                });
                Poll::Ready(())
            }
        }
    }

    /// Drops the actor and its queue. A context that was not terminated polls itself once more as
    /// it is dropped: it would run `started` on an actor that never ran or could not be rebuilt.
    fn discard(&mut self) {
        let Some(mut actor) = self.actor.take() else { return };
        actor.ctx().terminate();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(actor))) {
            let cause = panic_text(panic.as_ref());
            tracing::warn!(actor = %self.name, cause, "actor panicked while it was dropped");
        }
    }

    fn stopped(&mut self) -> Poll<()> {
        self.discard();
        self.overseer.roster().stopped(&self.name);
        Poll::Ready(())
    }

    /// Polls the actor once; `None` if there is nothing to do before it is woken.
    fn poll_actor(&mut self, cx: &mut TaskContext<'_>) -> Option<Poll<()>> {
        let Some(actor) = self.actor.as_mut() else { return Some(Poll::Ready(())) };
        match catch_unwind(AssertUnwindSafe(|| Pin::new(actor).poll(cx))) {
            Ok(Poll::Pending) => {
                self.progress.record();
                Some(Poll::Pending)
            }
            Ok(Poll::Ready(())) => Some(self.stopped()),
            Err(panic) => match self.crashed(&panic_text(panic.as_ref())) {
                Poll::Pending => None,
                ended => Some(ended),
            },
        }
    }

    /// Rebuilds the actor; `None` if it runs again.
    fn restart(&mut self) -> Option<Poll<()>> {
        let Some(actor) = self.actor.as_mut() else { return Some(Poll::Ready(())) };
        match catch_unwind(AssertUnwindSafe(|| actor.restart())) {
            Ok(true) => {
                self.state = State::Running;
                self.overseer.roster().running(&self.name, &self.progress);
                None
            }
            Ok(false) => Some(self.stopped()),
            Err(panic) => match self.crashed(&panic_text(panic.as_ref())) {
                Poll::Pending => None,
                ended => Some(ended),
            },
        }
    }
}

impl<A> Future for Guardian<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        let span = this.span.clone();
        let _entered = span.enter();
        if this.killed.as_mut().poll(cx).is_ready() {
            return this.stopped();
        }
        loop {
            let ended = match &mut this.state {
                State::Running => this.poll_actor(cx),
                State::BackingOff(pause) => match pause.as_mut().poll(cx) {
                    Poll::Pending => Some(Poll::Pending),
                    Poll::Ready(()) => this.restart(),
                },
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }
}
