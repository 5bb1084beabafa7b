//! Named places at which a test makes an actor panic, compiled out without the testkit.

/// The failpoints of one stage. Without the feature `testkit` it is empty and [`Self::hit`] nothing.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    #[cfg(any(test, feature = "testkit"))]
    armed: std::sync::Arc<parking_lot::Mutex<std::collections::BTreeMap<&'static str, Plan>>>,
}

#[cfg(any(test, feature = "testkit"))]
#[derive(Debug, Default)]
struct Plan {
    hits: u64,
    panics_on: Option<u64>,
}

impl Failpoints {
    /// Marks a place. A test that armed it makes this call panic.
    #[inline]
    pub fn hit(&self, place: &'static str) {
        #[cfg(any(test, feature = "testkit"))]
        self.count(place);
        #[cfg(not(any(test, feature = "testkit")))]
        let _ = place;
    }
}

#[cfg(any(test, feature = "testkit"))]
impl Failpoints {
    fn count(&self, place: &'static str) {
        let mut armed = self.armed.lock();
        let plan = armed.entry(place).or_default();
        let this = plan.hits;
        plan.hits += 1;
        let panics = plan.panics_on == Some(this);
        drop(armed);
        #[expect(clippy::panic, reason = "panicking is what a failpoint is for")]
        if panics {
            panic!("failpoint {place}");
        }
    }

    /// Makes the `nth` hit of a place panic, counted from 0.
    pub fn arm(&self, place: &'static str, nth: u64) {
        self.armed.lock().entry(place).or_default().panics_on = Some(nth);
    }

    /// The places that were reached so far, with the number of hits.
    #[must_use]
    pub fn reached(&self) -> Vec<(&'static str, u64)> {
        self.armed.lock().iter().map(|(place, plan)| (*place, plan.hits)).collect()
    }
}
