//! A journal with a window: events go on to the journal, lossless, and to a viewer, lossy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use sn1_actors::domain::{StatusCode, Uid};
use sn1_actors::ports::{Event, Journal, JournalError};
use tokio::sync::mpsc;

/// So many events wait for a viewer that is slow; further ones it misses.
const WINDOW: usize = 1_024;

/// A journal that others can look at. Clones are the same tap.
#[derive(Clone)]
pub struct Tap {
    journal: Arc<dyn Journal>,
    viewer: mpsc::Sender<Event>,
    missed: Arc<AtomicU64>,
    answered: Arc<Mutex<BTreeMap<Uid, u64>>>,
    weights: Arc<Mutex<BTreeMap<Uid, f64>>>,
}

impl Tap {
    /// A tap on a journal, and what a viewer sees of it.
    #[must_use]
    pub fn on(journal: Arc<dyn Journal>) -> (Self, mpsc::Receiver<Event>) {
        let (viewer, window) = mpsc::channel(WINDOW);
        let (missed, answered, weights) = (Arc::default(), Arc::default(), Arc::default());
        let tap = Self { journal, viewer, missed, answered, weights };
        (tap, window)
    }

    /// How many events the viewer missed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// How often each miner answered in the validator's own steps.
    #[must_use]
    pub fn answered(&self) -> BTreeMap<Uid, u64> {
        self.answered.lock().clone()
    }

    /// Each uid's share of the weights that the chain took last; none if it took none so far.
    #[must_use]
    pub fn weights(&self) -> BTreeMap<Uid, f64> {
        self.weights.lock().clone()
    }
}

impl Journal for Tap {
    fn record(&self, event: Event) {
        if let Event::Step(step) = &event
            && !is_users(step)
        {
            let mut answered = self.answered.lock();
            for uid in answering(step.get("uids"), step.get("status_codes")) {
                *answered.entry(uid).or_default() += 1;
            }
        }
        if let Event::WeightsSet { block: Some(_), uids, weights, .. } = &event {
            let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
            let shares = weights.iter().map(|weight| f64::from(*weight) / sum);
            *self.weights.lock() = uids.iter().copied().zip(shares).collect();
        }
        if self.viewer.try_send(event.clone()).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        self.journal.record(event);
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), JournalError>> {
        self.journal.ready()
    }
}

/// Whether a step is an API user's, which counts neither for a run's steps nor in its summary.
pub(crate) fn is_users(step: &Map<String, Value>) -> bool {
    step.get("organic") == Some(&Value::Bool(true))
}

fn answering(uids: Option<&Value>, codes: Option<&Value>) -> Vec<Uid> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |value: &Value| value.as_u64().and_then(|n| u16::try_from(n).ok());
    let both = list(uids).into_iter().zip(list(codes));
    both.filter(|(_, code)| number(code) == Some(StatusCode::OK.0))
        .filter_map(|(uid, _)| number(&uid).map(Uid))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sn1_actors::testkit::MemoryJournal;

    use super::*;

    #[test]
    fn answers_to_users_are_not_counted_as_the_validator_s_own() {
        let (tap, _window) = Tap::on(Arc::new(MemoryJournal::default()));
        for organic in [json!(null), json!(true)] {
            let step = json!({"uids": [3], "status_codes": [200], "organic": organic});
            tap.record(Event::Step(step.as_object().unwrap().clone()));
        }
        assert_eq!(tap.answered(), [(Uid(3), 1)].into());
    }
}
