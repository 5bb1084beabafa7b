//! Three queues, one a lane, and whose turn it is. The scheduler of this machine's model and the
//! one of remote models use it.

use std::collections::VecDeque;

use crate::domain::Lane;

/// A lane in which someone waits is passed over so often at most.
const PATIENCE: u32 = 8;

const ORDER: [Lane; 3] = [Lane::Validator, Lane::Reference, Lane::Miner];

/// Requests that wait, in order within each lane.
#[derive(Debug)]
pub struct Lanes<T> {
    queues: [VecDeque<T>; 3],
    passed_over: [u32; 3],
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { queues: [const { VecDeque::new() }; 3], passed_over: [0; 3] }
    }
}

impl<T> Lanes<T> {
    /// How many wait in a lane.
    #[must_use]
    pub fn waiting(&self, lane: Lane) -> usize {
        self.queues[index(lane)].len()
    }

    /// Queues at the end of a lane.
    pub fn push(&mut self, lane: Lane, request: T) {
        self.queues[index(lane)].push_back(request);
    }

    /// Queues before all others of a lane.
    pub fn push_first(&mut self, lane: Lane, request: T) {
        self.queues[index(lane)].push_front(request);
    }

    /// The lane in turn: one that was passed over too often, else miners' if `miners_first`, else
    /// what is waited for, then references, then miners'. A lane takes over what others leave.
    #[must_use]
    pub fn turn(&self, miners_first: bool) -> Option<Lane> {
        let waits = |lane: &Lane| self.waiting(*lane) > 0;
        let overdue = |lane: &Lane| self.passed_over[index(*lane)] >= PATIENCE;
        let miner = Some(Lane::Miner).filter(|lane| miners_first && waits(lane));
        ORDER
            .into_iter()
            .find(|lane| waits(lane) && overdue(lane))
            .or(miner)
            .or_else(|| ORDER.into_iter().find(waits))
    }

    /// The next in a lane.
    #[must_use]
    pub fn first(&self, lane: Lane) -> Option<&T> {
        self.queues[index(lane)].front()
    }

    /// Takes the next of a lane; the others in which someone waits were passed over.
    pub fn take(&mut self, lane: Lane) -> Option<T> {
        for other in ORDER {
            let passed = &mut self.passed_over[index(other)];
            let waits = other != lane && !self.queues[index(other)].is_empty();
            *passed = if waits { *passed + 1 } else { 0 };
        }
        self.queues[index(lane)].pop_front()
    }

    /// Takes out whoever `gone` says.
    pub fn take_out(&mut self, gone: impl Fn(&T) -> bool) -> Vec<T> {
        let mut out = Vec::new();
        for queue in self.queues.iter_mut().filter(|queue| queue.iter().any(&gone)) {
            let (leave, stay): (Vec<T>, Vec<T>) = queue.drain(..).partition(&gone);
            queue.extend(stay);
            out.extend(leave);
        }
        out
    }
}

fn index(lane: Lane) -> usize {
    match lane {
        Lane::Validator => 0,
        Lane::Reference => 1,
        Lane::Miner => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_lane_the_first_to_come_is_the_first_to_go_and_no_lane_waits_for_ever() {
        let mut lanes = Lanes::default();
        for n in 0..30 {
            lanes.push(Lane::Validator, n);
        }
        lanes.push(Lane::Miner, 100);
        lanes.push(Lane::Miner, 101);
        let mut taken = Vec::new();
        while let Some(lane) = lanes.turn(false) {
            taken.extend(lanes.take(lane));
        }
        let miner = |n| taken.iter().position(|taken| *taken == n).unwrap();
        assert_eq!((miner(100), miner(101)), (8, 17), "after eight others each: {taken:?}");
        taken.retain(|n| *n < 100);
        assert!(taken.is_sorted() && taken.len() == 30, "{taken:?}");
    }

    #[test]
    fn whoever_is_taken_out_leaves_the_order_of_the_others() {
        let mut lanes = Lanes::default();
        (0..6).for_each(|n| lanes.push(Lane::Reference, n));
        assert_eq!(lanes.take_out(|n| n % 2 == 0), [0, 2, 4]);
        lanes.push_first(Lane::Reference, 9);
        let left: Vec<_> = std::iter::from_fn(|| lanes.take(Lane::Reference)).collect();
        assert_eq!(left, [9, 1, 3, 5]);
    }
}
