//! What is known of one model server: how much it does for us, whether it is well, which model it
//! has. And a visit: one request to it, which gives everything back when dropped.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sn1_actors::domain::Moment;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::base_url::BaseUrl;
use super::breaker::{Breaker, BreakerPolicy, Pass, Verdict};

/// While a trial is under way, it is looked again after so long.
const TRIAL_LOOK: Duration = Duration::from_millis(100);

/// Whether a server can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// At once, if it has a free place.
    Ready,
    /// Not before then, by its own wish or because another request tries it.
    Resting(Moment),
    /// It failed too often; nobody waits for it.
    Broken,
}

/// A model server.
pub(super) struct Server {
    pub(super) base: BaseUrl,
    in_flight: usize,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    breaker: Breaker,
    rests_until: Moment,
    /// Why it rests or failed last.
    reason: String,
    model: Option<Model>,
    /// Whether it takes fields that the OpenAI protocol lacks.
    extended: bool,
}

/// The model that a server was found to have.
struct Model {
    name: Arc<str>,
    seen: Moment,
}

impl Server {
    /// A server that is thought to be well, with so many places.
    pub(super) fn new(base: BaseUrl, in_flight: usize, policy: BreakerPolicy) -> Self {
        let state = State {
            breaker: Breaker::new(policy),
            rests_until: Moment::default(),
            reason: String::new(),
            model: None,
            extended: true,
        };
        let places = Arc::new(Semaphore::new(in_flight));
        Self { base, in_flight, places, state: Mutex::new(state) }
    }

    /// How many requests it has from us.
    pub(super) fn load(&self) -> usize {
        self.in_flight.saturating_sub(self.places.available_permits())
    }

    /// Whether it can be asked.
    pub(super) fn readiness(&self, now: Moment) -> Readiness {
        let state = self.state.lock();
        match state.breaker.verdict(now) {
            Verdict::Open(_) => Readiness::Broken,
            Verdict::Trying => Readiness::Resting(now.after(TRIAL_LOOK)),
            Verdict::Admitted(_) if state.rests_until > now => {
                Readiness::Resting(state.rests_until)
            }
            Verdict::Admitted(_) => Readiness::Ready,
        }
    }

    /// Why it rests or failed last, with its address.
    pub(super) fn complaint(&self) -> String {
        format!("{} {}", self.base, self.state.lock().reason)
    }

    /// Whether requests may carry fields that the OpenAI protocol lacks.
    pub(super) fn is_extended(&self) -> bool {
        self.state.lock().extended
    }

    /// It refused these fields.
    pub(super) fn is_not_extended(&self) {
        self.state.lock().extended = false;
    }

    /// The model that it was found to have, unless that is longer ago than `fresh`.
    pub(super) fn model(&self, now: Moment, fresh: Duration) -> Option<Arc<str>> {
        let state = self.state.lock();
        let model = state.model.as_ref().filter(|model| now.since(model.seen) <= fresh)?;
        Some(Arc::clone(&model.name))
    }

    /// It has this model.
    pub(super) fn has_model(&self, name: &Arc<str>, now: Moment) {
        self.state.lock().model = Some(Model { name: Arc::clone(name), seen: now });
    }

    /// What was found out about its model may be wrong.
    pub(super) fn forget_model(&self) {
        self.state.lock().model = None;
    }

    /// Its places, to wait for one.
    pub(super) fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.places)
    }

    /// Takes a place if one is free and the server is ready.
    pub(super) fn visit(self: &Arc<Self>, now: Moment) -> Option<Visit> {
        let place = self.places().try_acquire_owned().ok()?;
        self.visit_at(place, now)
    }

    /// Uses a place, if the server is ready.
    pub(super) fn visit_at(
        self: &Arc<Self>,
        place: OwnedSemaphorePermit,
        now: Moment,
    ) -> Option<Visit> {
        let mut state = self.state.lock();
        if state.rests_until > now {
            return None;
        }
        let pass = state.breaker.admit(now)?;
        drop(state);
        Some(Visit { server: Arc::clone(self), pass, open: Some(now), _place: place })
    }
}

/// One request to a server. Dropped, it gives its place back; if nothing was told of how it went,
/// nothing is learnt from it.
pub(super) struct Visit {
    pub(super) server: Arc<Server>,
    pass: Pass,
    /// When it began, until it is told how it went.
    open: Option<Moment>,
    _place: OwnedSemaphorePermit,
}

impl Visit {
    /// The server shows that it works.
    pub(super) fn began(&mut self) {
        self.server.state.lock().breaker.began(self.pass);
        self.pass = Pass::Usual;
    }

    /// The server answered to the end.
    pub(super) fn completed(&mut self) {
        self.open = None;
        self.server.state.lock().breaker.completed();
    }

    /// The server failed.
    pub(super) fn failed(&mut self, now: Moment, reason: &str) {
        self.open = None;
        let mut state = self.server.state.lock();
        reason.clone_into(&mut state.reason);
        state.breaker.failed(self.pass, now);
    }

    /// The server is well, but is not to be asked for a while.
    pub(super) fn rests(&mut self, now: Moment, rest: Duration, reason: &str) {
        self.began();
        self.open = None;
        let mut state = self.server.state.lock();
        reason.clone_into(&mut state.reason);
        state.rests_until = state.rests_until.max(now.after(rest));
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(began) = self.open {
            self.server.state.lock().breaker.abandoned(self.pass, began);
        }
    }
}
