//! What may not be asked for the time being, because the API said so.

use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::domain::Moment;

/// Added to what the API asks for: its clock and the way to it are not ours.
const MARGIN: Duration = Duration::from_secs(2);
/// When the quota is used up it is looked again after so long; only an answer tells that it is not.
const QUOTA_LOOK: Duration = Duration::from_secs(3_600);
/// The API asks for no more than a day, since quotas are counted by day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// A method of the API: what it wants to rest, rests by method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// `/questions`
    Questions,
    /// `/answers/{ids}`
    Answers,
    /// `/questions/{ids}/answers`
    AnswersOf,
}

#[derive(Default)]
pub(super) struct Rests(Mutex<State>);

#[derive(Default)]
struct State {
    all: Rest,
    questions: Rest,
    answers: Rest,
    answers_of: Rest,
}

#[derive(Default)]
struct Rest {
    until: Moment,
    why: String,
}

impl Rests {
    /// Whether a method may not be called: for how long, and why.
    pub(super) fn check(&self, method: Method, now: Moment) -> Result<(), (Duration, String)> {
        let mut state = self.0.lock();
        let (all, own) = (state.all.until, state.of(method).until);
        let rest = if all >= own { &state.all } else { state.of(method) };
        if rest.until <= now { Ok(()) } else { Err((rest.until.since(now), rest.why.clone())) }
    }

    /// The API wants no call of the method for so long.
    pub(super) fn method(&self, method: Method, now: Moment, wait: Duration, why: String) {
        self.0.lock().of(method).extend(now, wait, why);
    }

    /// The API wants no call at all for so long.
    pub(super) fn all(&self, now: Moment, wait: Duration, why: String) {
        self.0.lock().all.extend(now, wait, why);
    }

    /// No request of the day is left.
    pub(super) fn quota(&self, now: Moment) {
        self.all(now, QUOTA_LOOK, "the day's quota of requests is used up".into());
    }
}

impl State {
    fn of(&mut self, method: Method) -> &mut Rest {
        match method {
            Method::Questions => &mut self.questions,
            Method::Answers => &mut self.answers,
            Method::AnswersOf => &mut self.answers_of,
        }
    }
}

impl Rest {
    fn extend(&mut self, now: Moment, wait: Duration, why: String) {
        let until = now.after(wait.min(LONGEST).saturating_add(MARGIN));
        if until > self.until {
            *self = Self { until, why };
        }
    }
}
