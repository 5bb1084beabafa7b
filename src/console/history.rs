//! Points over the whole of a run, as many as a plot can show.

use serde::{Serialize, Serializer};

/// The most points that are kept.
const MOST: usize = 256;

/// Points in order. When they become too many every other one goes, and from then on half as many
/// are kept of those that come.
#[derive(Clone, Debug)]
pub struct History<T> {
    points: Vec<T>,
    /// One of so many points is kept.
    every: u64,
    seen: u64,
    last: Option<T>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { points: Vec::new(), every: 1, seen: 0, last: None }
    }
}

impl<T> History<T> {
    /// Takes the next point.
    pub(super) fn push(&mut self, point: impl FnOnce() -> T) {
        let due = self.seen.is_multiple_of(self.every);
        self.seen += 1;
        if !due {
            self.last = Some(point());
            return;
        }
        self.last = None;
        self.points.push(point());
        if self.points.len() > MOST {
            let mut at = 0;
            self.points.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.every *= 2;
        }
    }

    /// The points that are kept, and the last one in any case.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.points.iter().chain(&self.last)
    }
}

impl<T: Serialize> Serialize for History<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_kept_from_its_first_point_to_its_last() {
        let mut history = History::default();
        for point in 0..100_000 {
            history.push(|| point);
            let kept: Vec<i32> = history.iter().copied().collect();
            assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&point)));
            assert!(kept.len() <= MOST + 1 && kept.is_sorted());
        }
    }
}
