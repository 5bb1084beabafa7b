//! The circuit breaker of one server: whether it is asked, by how it fared before. Pure: time is
//! handed in.

use std::time::Duration;

use sn1_actors::domain::Moment;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// It opens at so many failures in a row, from 1.
    pub threshold: u32,
    /// How long it stays open the first time; twice as long each time that the trial fails.
    pub first_rest: Duration,
    /// It never stays open for longer than this.
    pub longest_rest: Duration,
}

impl Default for BreakerPolicy {
    /// Three failures; one second to one minute.
    fn default() -> Self {
        Self {
            threshold: 3,
            first_rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(60),
        }
    }
}

impl BreakerPolicy {
    /// How long the breaker stays open at its `openings`th opening in a row, counted from 1.
    fn rest(&self, openings: u32) -> Duration {
        let factor = 2_u32.saturating_pow(openings.saturating_sub(1));
        self.first_rest.saturating_mul(factor).min(self.longest_rest)
    }
}

/// What a request was let through as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// One of many.
    Usual,
    /// The only one, to find out whether the server works again.
    Trial,
}

/// What a breaker says to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go.
    Admitted(Pass),
    /// Not before then.
    Open(Moment),
    /// A trial is under way; ask again when it has ended.
    Trying,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many failures in a row, and so many openings since all was well.
    Closed {
        failures: u32,
        openings: u32,
    },
    Open {
        until: Moment,
        openings: u32,
    },
    HalfOpen {
        openings: u32,
    },
}

/// The breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

impl Breaker {
    /// Closed.
    pub(super) fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: 0, openings: 0 } }
    }

    /// What a request would be told.
    pub(super) fn verdict(&self, now: Moment) -> Verdict {
        match self.state {
            State::Closed { .. } => Verdict::Admitted(Pass::Usual),
            State::Open { until, .. } if now >= until => Verdict::Admitted(Pass::Trial),
            State::Open { until, .. } => Verdict::Open(until),
            State::HalfOpen { .. } => Verdict::Trying,
        }
    }

    /// Lets a request through, if it may. What comes of it must be told.
    pub(super) fn admit(&mut self, now: Moment) -> Option<Pass> {
        let Verdict::Admitted(pass) = self.verdict(now) else { return None };
        if let (Pass::Trial, State::Open { openings, .. }) = (pass, self.state) {
            self.state = State::HalfOpen { openings };
        }
        Some(pass)
    }

    /// The server began to answer: a trial ends well. One failure more opens the breaker again, so
    /// that a server that begins and never ends is found out.
    pub(super) fn began(&mut self, pass: Pass) {
        if let (Pass::Trial, State::HalfOpen { openings }) = (pass, self.state) {
            self.state =
                State::Closed { failures: self.policy.threshold.saturating_sub(1), openings };
        }
    }

    /// The server answered to the end: all is well, whatever was thought before.
    pub(super) fn completed(&mut self) {
        self.state = State::Closed { failures: 0, openings: 0 };
    }

    /// The server failed. Once the breaker is open, requests from before do not count.
    pub(super) fn failed(&mut self, pass: Pass, now: Moment) {
        let openings = match self.state {
            State::Closed { failures, openings } if failures + 1 < self.policy.threshold => {
                self.state = State::Closed { failures: failures + 1, openings };
                return;
            }
            State::Closed { openings, .. } => openings,
            State::HalfOpen { openings } if pass == Pass::Trial => openings,
            State::HalfOpen { .. } | State::Open { .. } => return,
        };
        let openings = openings.saturating_add(1);
        self.state = State::Open { until: now.after(self.policy.rest(openings)), openings };
    }

    /// Nothing was learnt: the request was given up. After a trial the next request is one.
    pub(super) fn abandoned(&mut self, pass: Pass, now: Moment) {
        if let (Pass::Trial, State::HalfOpen { openings }) = (pass, self.state) {
            self.state = State::Open { until: now, openings };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to a breaker.
    enum Do {
        /// A request comes, and is told this.
        Ask(Option<Pass>),
        Begin(Pass),
        Complete,
        Fail(Pass),
        Abandon(Pass),
        /// So many milliseconds go by.
        Wait(u64),
    }

    use Do::{Abandon, Ask, Begin, Complete, Fail, Wait};
    use Pass::{Trial, Usual};

    fn check(name: &str, script: &[Do]) {
        let (first_rest, longest_rest) = (Duration::from_millis(100), Duration::from_millis(350));
        let mut breaker = Breaker::new(BreakerPolicy { threshold: 3, first_rest, longest_rest });
        let mut now = Moment(Duration::from_secs(5));
        for (step, act) in script.iter().enumerate() {
            match act {
                Ask(expected) => assert_eq!(breaker.admit(now), *expected, "{name}, step {step}"),
                Begin(pass) => breaker.began(*pass),
                Complete => breaker.completed(),
                Fail(pass) => breaker.failed(*pass, now),
                Abandon(pass) => breaker.abandoned(*pass, now),
                Wait(milliseconds) => now = now.after(Duration::from_millis(*milliseconds)),
            }
        }
    }

    /// Opens a breaker that was closed.
    const OPENED: [Do; 3] = [Fail(Usual), Fail(Usual), Fail(Usual)];

    fn check_opened(name: &str, script: impl IntoIterator<Item = Do>) {
        check(name, &OPENED.into_iter().chain(script).collect::<Vec<_>>());
    }

    #[test]
    fn opens_at_the_threshold_and_counts_only_failures_in_a_row() {
        check("below", &[Fail(Usual), Fail(Usual), Ask(Some(Usual))]);
        check("at", &[Fail(Usual), Fail(Usual), Fail(Usual), Ask(None)]);
        check("not in a row", &[Fail(Usual), Fail(Usual), Complete, Fail(Usual), Ask(Some(Usual))]);
    }

    #[test]
    fn lets_one_trial_through_when_the_rest_is_over() {
        check_opened("early", [Wait(99), Ask(None)]);
        check_opened("due", [Wait(100), Ask(Some(Trial)), Ask(None), Wait(9_999), Ask(None)]);
    }

    #[test]
    fn closes_when_the_trial_ends_well() {
        check_opened("begun", [Wait(100), Ask(Some(Trial)), Begin(Trial), Ask(Some(Usual))]);
        check_opened("completed", [Wait(100), Ask(Some(Trial)), Complete, Ask(Some(Usual))]);
    }

    #[test]
    fn rests_twice_as_long_after_each_failed_trial_up_to_the_longest() {
        let fail = || [Ask(Some(Trial)), Fail(Trial)];
        let mut script = vec![Wait(100)];
        for (short, rest) in [(199, 200), (349, 350), (349, 350)] {
            script.extend(fail());
            script.extend([Wait(short), Ask(None), Wait(rest - short)]);
        }
        script.push(Ask(Some(Trial)));
        check_opened("growing", script);
    }

    #[test]
    fn forgets_how_long_it_rested_only_after_a_whole_answer() {
        let script = [Wait(100), Ask(Some(Trial)), Begin(Trial), Fail(Usual), Wait(199), Ask(None)];
        check_opened("begins and breaks", script);
        let script = [Wait(100), Ask(Some(Trial)), Begin(Trial), Complete];
        check_opened("well", script.into_iter().chain(OPENED).chain([Wait(100), Ask(Some(Trial))]));
    }

    #[test]
    fn late_failures_of_earlier_requests_change_nothing() {
        check_opened("open", [Wait(50), Fail(Usual), Wait(50), Ask(Some(Trial))]);
        let trial = [Wait(100), Ask(Some(Trial)), Fail(Usual), Begin(Trial), Ask(Some(Usual))];
        check_opened("half-open", trial);
    }

    #[test]
    fn an_abandoned_trial_makes_way_for_the_next() {
        check_opened("trial", [Wait(100), Ask(Some(Trial)), Abandon(Trial), Ask(Some(Trial))]);
        check_opened("usual", [Wait(100), Ask(Some(Trial)), Abandon(Usual), Ask(None)]);
    }

    #[test]
    fn the_longest_rest_holds_after_any_number_of_openings() {
        let policy = BreakerPolicy::default();
        assert_eq!(policy.rest(1), Duration::from_secs(1));
        assert_eq!(policy.rest(6), Duration::from_secs(32));
        for openings in [7, 40, u32::MAX] {
            assert_eq!(policy.rest(openings), Duration::from_secs(60));
        }
    }
}
