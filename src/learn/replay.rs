// SPDX-License-Identifier: GPL-2.0-only
//! What the simulated SRPT schedule shows of each function.

use crate::invocation::FunctionId;
use crate::sim::{Job, srpt};

/// The slices and waits of all functions in one replay under SRPT.
#[derive(Debug)]
pub struct Replay {
    /// The slices of all functions, one function after the other.
    slices_ns: Vec<u64>,
    /// By slot, where a function's slices end; they begin where those of the
    /// slot before it end.
    ends: Vec<usize>,
    /// By slot, how long its jobs waited altogether and how many there were.
    waits: Vec<(f64, u32)>,
}

impl Replay {
    /// Replays `jobs`, in any order, on `cpus` CPUs (0 counts as 1).
    pub fn run(jobs: &[Job], cpus: usize) -> Self {
        let slots = jobs.iter().map(|job| job.function.slot() + 1).max();
        let slots = slots.unwrap_or(0);
        let mut slices = Vec::with_capacity(2 * jobs.len());
        let outcomes = srpt::replay(jobs, cpus, |slice| {
            slices.push((slice.function, slice.length_ns()));
        });
        let mut waits = vec![(0.0, 0); slots];
        for (job, outcome) in jobs.iter().zip(&outcomes) {
            let (wait_ns, count) = &mut waits[job.function.slot()];
            *wait_ns += outcome.first_run_ns.saturating_sub(job.arrival_ns) as f64;
            *count += 1;
        }
        let (slices_ns, ends) = grouped(&slices, slots);
        Self {
            slices_ns,
            ends,
            waits,
        }
    }

    /// A function's slices in nanoseconds, in the order of their ends.
    pub fn slices_ns(&self, function: FunctionId) -> &[u64] {
        let slot = function.slot();
        let begin = match slot.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        match (begin, self.ends.get(slot)) {
            (Some(begin), Some(&end)) => &self.slices_ns[begin..end],
            _ => &[],
        }
    }

    /// A function's mean time from arrival to first run, in nanoseconds;
    /// `None` where it has no job in the replay.
    pub fn mean_wait_ns(&self, function: FunctionId) -> Option<f64> {
        match self.waits.get(function.slot()) {
            Some(&(wait_ns, count)) if count > 0 => Some(wait_ns / f64::from(count)),
            _ => None,
        }
    }
}

/// Sorts slices by slot, keeping the order within each: a counting sort.
/// Returns the lengths and where each slot's end.
fn grouped(slices: &[(FunctionId, u64)], slots: usize) -> (Vec<u64>, Vec<usize>) {
    let mut counts = vec![0; slots];
    for (function, _) in slices {
        counts[function.slot()] += 1;
    }
    let mut begin = 0;
    let mut ends: Vec<usize> = counts
        .iter()
        .map(|count| {
            let here = begin;
            begin += count;
            here
        })
        .collect();
    let mut lengths = vec![0; slices.len()];
    // What begins as every slot's first place has moved to its end when done.
    for (function, length_ns) in slices {
        let place = &mut ends[function.slot()];
        lengths[*place] = *length_ns;
        *place += 1;
    }
    (lengths, ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(slot: u32, arrival_ns: u64, cpu_ns: u64) -> Job {
        Job {
            function: FunctionId::new(slot).unwrap(),
            arrival_ns,
            cpu_ns,
        }
    }

    fn function(slot: u32) -> FunctionId {
        FunctionId::new(slot).unwrap()
    }

    #[test]
    fn slices_and_waits_go_to_their_functions() {
        let replay = Replay::run(&[job(2, 0, 10), job(5, 4, 3), job(5, 5, 3)], 1);
        assert_eq!(replay.slices_ns(function(2)), [4, 6]);
        assert_eq!(replay.slices_ns(function(5)), [3, 3]);
        assert_eq!(replay.mean_wait_ns(function(2)), Some(0.0));
        assert_eq!(replay.mean_wait_ns(function(5)), Some(1.0));
    }

    #[test]
    fn functions_outside_the_replay_have_nothing() {
        let replay = Replay::run(&[job(2, 0, 10)], 1);
        for slot in [0, 1, 3, 4095] {
            assert!(replay.slices_ns(function(slot)).is_empty());
            assert_eq!(replay.mean_wait_ns(function(slot)), None);
        }
    }

    #[test]
    fn nothing_can_be_replayed() {
        let replay = Replay::run(&[], 4);
        assert!(replay.slices_ns(FunctionId::PRIOR).is_empty());
    }

    proptest! {
        #[test]
        fn each_function_is_served_what_its_jobs_need(
            raw in prop::collection::vec((0u32..6, 0u64..100, 0u64..50), 0..60),
            cpus in 0usize..4,
        ) {
            let jobs: Vec<_> = raw.iter().map(|&(slot, at, cpu)| job(slot, at, cpu)).collect();
            let replay = Replay::run(&jobs, cpus);
            for slot in 0..6 {
                let own = jobs.iter().filter(|job| job.function == function(slot));
                let served: u64 = replay.slices_ns(function(slot)).iter().sum();
                prop_assert_eq!(served, own.map(|job| job.cpu_ns).sum::<u64>());
            }
        }
    }
}
