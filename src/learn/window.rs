// SPDX-License-Identifier: GPL-2.0-only
//! The sliding window: the invocations a round replays.

use std::collections::VecDeque;

use crate::invocation::{FunctionId, Invocation};
use crate::sim::Job;

/// The invocations that ended within the last while, bounded by count too.
///
/// Invocations may come in any order of their ends. One counts as outside
/// when its end is further than the span from now in either direction, so
/// that a clock that was set back does not leave the window full of a future
/// that never comes.
#[derive(Debug)]
pub struct Window {
    span_ns: u64,
    capacity: usize,
    /// In the order observed.
    ended: VecDeque<Ended>,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    end_ns: u64,
    job: Job,
}

impl Window {
    /// An empty window of `span_ns` nanoseconds and at most `capacity` invocations.
    pub fn new(span_ns: u64, capacity: usize) -> Self {
        Self {
            span_ns,
            capacity,
            ended: VecDeque::new(),
        }
    }

    /// Adds an invocation; with the window full, the one observed first leaves.
    pub fn observe(&mut self, invocation: &Invocation) {
        if self.capacity == 0 {
            return;
        }
        if self.ended.len() >= self.capacity {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended {
            end_ns: invocation.end_ns,
            job: Job {
                function: invocation.function,
                arrival_ns: invocation.arrival_ns,
                cpu_ns: invocation.cpu_ns,
            },
        });
    }

    /// Drops what does not lie within the span around `now_ns`.
    pub fn evict(&mut self, now_ns: u64) {
        self.ended
            .retain(|ended| now_ns.abs_diff(ended.end_ns) <= self.span_ns);
    }

    /// Makes the invocations of functions that `is_forgotten` belong to none:
    /// they remain part of the load, and their slot may be given away.
    pub fn disown(&mut self, mut is_forgotten: impl FnMut(FunctionId) -> bool) {
        for ended in &mut self.ended {
            if is_forgotten(ended.job.function) {
                ended.job.function = FunctionId::PRIOR;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.ended.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// What is to be replayed, in the order observed.
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = Job> + '_ {
        self.ended.iter().map(|ended| ended.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ending(end_ns: u64) -> Invocation {
        Invocation {
            function: FunctionId::new(3).unwrap(),
            arrival_ns: end_ns.saturating_sub(5),
            first_run_ns: end_ns.saturating_sub(4),
            end_ns,
            cpu_ns: 2,
            switches: 0,
        }
    }

    fn arrivals(window: &Window) -> Vec<u64> {
        window.jobs().map(|job| job.arrival_ns).collect()
    }

    #[test]
    fn the_first_observed_leaves_a_full_window() {
        let mut window = Window::new(100, 2);
        [10, 20, 30]
            .iter()
            .for_each(|&end| window.observe(&ending(end)));
        assert_eq!(arrivals(&window), [15, 25]);
    }

    #[test]
    fn what_ended_before_the_span_is_evicted_in_any_order_of_ends() {
        let mut window = Window::new(100, 16);
        [150, 90, 160, 99, 100]
            .iter()
            .for_each(|&end| window.observe(&ending(end)));
        window.evict(200);
        assert_eq!(arrivals(&window), [145, 155, 95]);
    }

    #[test]
    fn a_future_further_than_the_span_is_evicted() {
        let mut window = Window::new(100, 16);
        [1_000, 110, 55]
            .iter()
            .for_each(|&end| window.observe(&ending(end)));
        window.evict(50);
        assert_eq!(arrivals(&window), [105, 50]);
    }

    #[test]
    fn disowned_invocations_stay_as_load() {
        let mut window = Window::new(100, 16);
        window.observe(&ending(10));
        window.disown(|function| function.slot() == 3);
        assert_eq!(window.jobs().next().unwrap().function, FunctionId::PRIOR);
    }

    #[test]
    fn a_window_without_capacity_stays_empty() {
        let mut window = Window::new(100, 0);
        window.observe(&ending(10));
        assert!(window.is_empty());
    }

    proptest! {
        #[test]
        fn it_holds_what_lies_in_the_span_and_no_more_than_its_capacity(
            ends in prop::collection::vec(any::<u64>(), 0..50),
            span: u64,
            now: u64,
            capacity in 0usize..20,
        ) {
            let mut window = Window::new(span, capacity);
            ends.iter().for_each(|&end| window.observe(&ending(end)));
            window.evict(now);
            let last = &ends[ends.len().saturating_sub(capacity)..];
            let expected: Vec<_> = last
                .iter()
                .filter(|end| end.abs_diff(now) <= span)
                .map(|end| end.saturating_sub(5))
                .collect();
            prop_assert_eq!(arrivals(&window), expected);
        }
    }
}
