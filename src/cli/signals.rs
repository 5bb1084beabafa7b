//! Ctrl-C and SIGTERM: the first asks for an end in good order, the second for an end at once.
//!
//! A supervisor that asks kills whoever is still there ten seconds later, so an end in good order
//! is over by then: conversations under way are broken off where they take longer. A person at a
//! terminal sees what is waited for and can press again, so nothing that was paid for is thrown
//! away there.

use std::io::IsTerminal;
use std::pin::pin;
use std::time::Duration;

use sn1_actors::domain::Moment;
use sn1_actors::ports::{Clock, in_time};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Since a supervisor said stop, what is under way may take so long to end.
pub(super) const DRAIN: Duration = Duration::from_secs(5);
/// Since then, and what follows may take so long: the last weights, and servers that close. What is
/// left of the ten seconds is for the journal.
pub(super) const AFTERWARDS: Duration = Duration::from_secs(7);

/// Since then, and what goes into the summary may take so long.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(7_500);

/// Who wants the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody at a terminal, who pressed Ctrl-C.
    Person,
    /// A supervisor. They send SIGTERM; pm2 sends SIGINT, and has no terminal.
    Supervisor,
}

impl Stop {
    /// How the program ends that has not begun to work yet.
    pub(super) fn before_work(self) -> Exit {
        match self {
            Self::Person => Exit::Interrupted,
            Self::Supervisor => Exit::Done,
        }
    }
}

/// The signals of this process, from when it was made.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    terminal: bool,
}

impl Signals {
    /// Takes over both signals.
    pub(super) fn watch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            terminal: std::io::stdin().is_terminal(),
        })
    }

    /// Resolves at the next one.
    pub(super) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => if self.terminal { Stop::Person } else { Stop::Supervisor },
            _ = self.terminate.recv() => Stop::Supervisor,
        }
    }
}

/// How much time an end in good order has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hurry {
    /// Whether somebody said stop; the next one ends the program at once.
    asked: bool,
    /// When a supervisor said stop; without one there is as much time as it takes.
    since: Option<Moment>,
}

/// A second signal has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AtOnce;

impl Hurry {
    /// As much time as it takes: nobody has said stop.
    pub(super) const NONE: Self = Self { asked: false, since: None };

    /// What whoever says stop now leaves.
    pub(super) fn from_now(stop: Stop, clock: &dyn Clock) -> Self {
        Self { asked: true, since: (stop == Stop::Supervisor).then(|| clock.now()) }
    }

    /// As [`Self::within`], of work that ends by itself: who says stop first while it is under way
    /// sets its limit, and is told to `first`.
    ///
    /// # Errors
    /// [`AtOnce`] when stop is said for the second time.
    pub(super) async fn heeding<T>(
        &mut self,
        signals: &mut Signals,
        limit: Duration,
        clock: &dyn Clock,
        first: impl Fn(Stop),
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, AtOnce> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                stop = signals.next() => {
                    if self.asked {
                        return Err(AtOnce);
                    }
                    *self = Self::from_now(stop, clock);
                    first(stop);
                }
                done = self.within(limit, clock, work.as_mut()) => return Ok(done),
            }
        }
    }

    /// What some work comes to; none if it takes longer than until `limit` after the signal, and is
    /// dropped.
    pub(super) async fn within<T>(
        self,
        limit: Duration,
        clock: &dyn Clock,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        match self.since {
            None => Some(work.await),
            Some(since) => {
                let left = limit.saturating_sub(clock.now().since(since));
                in_time(clock, left, work).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sn1_actors::ports::TokioClock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_supervisor_waits_so_long_in_all_and_a_person_as_long_as_it_takes() {
        let clock = TokioClock::starting_now(|| Duration::ZERO);
        let work = |seconds: u64| clock.sleep(Duration::from_secs(seconds));
        let hurry = Hurry::from_now(Stop::Supervisor, &clock);
        assert_eq!(hurry.within(DRAIN, &clock, work(4)).await, Some(()));
        assert_eq!(hurry.within(DRAIN, &clock, work(4)).await, None);
        assert_eq!(hurry.within(AFTERWARDS, &clock, work(600)).await, None);
        assert_eq!(clock.now(), Moment(AFTERWARDS));
        assert_eq!(
            hurry.within(AFTERWARDS, &clock, async { 7 }).await,
            Some(7),
            "if it is at once"
        );
        for hurry in [Hurry::NONE, Hurry::from_now(Stop::Person, &clock)] {
            assert_eq!(hurry.within(DRAIN, &clock, work(600)).await, Some(()));
        }
    }

    #[tokio::test]
    async fn the_first_signal_is_the_first_however_late_it_comes() {
        let clock = TokioClock::starting_now(|| Duration::ZERO);
        let mut signals = Signals::watch().unwrap();
        let endless = || async {
            let kill = format!("kill -TERM {}", std::process::id());
            assert!(
                std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success()
            );
            std::future::pending::<()>().await;
        };
        let mut hurry = Hurry::NONE;
        let told = std::cell::Cell::new(0);
        let first = |stop| told.set(told.get() + i32::from(stop == Stop::Supervisor));
        let done = hurry.heeding(&mut signals, Duration::ZERO, &clock, first, endless()).await;
        assert_eq!((done, told.get()), (Ok(None), 1), "its bound counts from the signal");
        let hour = Duration::from_secs(3_600);
        let done = hurry.heeding(&mut signals, hour, &clock, first, endless()).await;
        assert_eq!((done, told.get()), (Err(AtOnce), 1));
    }

    #[test]
    fn the_ten_seconds_of_a_supervisor_are_not_used_up() {
        assert!(DRAIN < AFTERWARDS && AFTERWARDS < LAST_LOOK);
        assert!(LAST_LOOK < Duration::from_secs(8));
    }
}
