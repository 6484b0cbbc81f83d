// SPDX-License-Identifier: GPL-2.0-only
//! ALPS as published (USENIX ATC 2024): functions in an order of priority,
//! slices, and a fair share within a function.
//!
//! The published backend hooks CFS: of two functions the one of the better
//! rank runs first, of two invocations of one function that with the smaller
//! vruntime, and who runs is not preempted before its function's slice is
//! used up. A function without a slice of its own takes the turns of a fair
//! scheduler. The order is the one the paper means; its published code
//! compares unsigned, which makes it the order of arrivals.

use super::discipline::{Discipline, Next, Standing};
use super::fair::{FAIR_TURN_NS, Fair};
use super::tables::Tables;
use crate::invocation::{FunctionId, Invocation};

/// ALPS as published.
#[derive(Debug)]
pub struct Published<'a> {
    tables: &'a mut Tables,
    fair: Fair,
}

impl<'a> Published<'a> {
    pub fn new(tables: &'a mut Tables) -> Self {
        Self {
            tables,
            fair: Fair::default(),
        }
    }

    fn rank(&mut self, function: FunctionId, now_ns: u64) -> u32 {
        let entry = self.tables.entry(function, now_ns);
        entry.map_or(u32::MAX, |entry| entry.rank)
    }
}

impl Discipline for Published<'_> {
    /// Rank of the function, vruntime of the invocation.
    type Key = (u32, u64);

    fn arrived(&mut self, at: &Standing) -> Self::Key {
        let rank = self.rank(at.job.function, at.now_ns);
        (rank, self.fair.joined(at))
    }

    fn preempted(&mut self, at: &Standing) -> Self::Key {
        let rank = self.rank(at.job.function, at.now_ns);
        (rank, self.fair.vruntime_ns(at))
    }

    fn switched_in(&mut self, _at: &Standing, key: Self::Key) -> Self::Key {
        self.fair.served_next(key.1);
        key
    }

    fn turn_ns(&mut self, at: &Standing) -> u64 {
        match self.tables.entry(at.job.function, at.now_ns) {
            Some(entry) if entry.slice_ns > 0 => entry.slice_ns,
            _ => FAIR_TURN_NS,
        }
    }

    fn turn_over(&mut self, at: &Standing) -> Next<Self::Key> {
        Next::Contend(self.preempted(at))
    }

    fn gives_way(&self, _running: Self::Key, _waiting: Self::Key) -> bool {
        false
    }

    fn served(&mut self, cpu_ns: u64) {
        self.tables.served(cpu_ns);
    }

    fn finished(&mut self, invocation: &Invocation) {
        self.tables.finished(invocation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PolicyEntry, PolicyTable};
    use crate::sim::test::{finishes, job_of};

    const MS: u64 = 1_000_000;

    fn entry(rank: u32, slice_ms: u64) -> PolicyEntry {
        PolicyEntry {
            rank,
            slice_ns: slice_ms * MS,
            samples: 1,
            ..PolicyEntry::default()
        }
    }

    fn run(jobs: &[crate::sim::Job]) -> Vec<u64> {
        let entries = vec![entry(9, 0), entry(2, 20), entry(1, 5), entry(3, 0)];
        let mut tables = Tables::fixed(PolicyTable::new(entries));
        let finishes = finishes(&mut Published::new(&mut tables), jobs, 1);
        finishes.iter().map(|ns| ns / MS).collect()
    }

    #[test]
    fn the_better_rank_runs_when_the_slice_is_used_up() {
        let jobs = [job_of(1, 0, 50 * MS), job_of(2, MS, 5 * MS)];
        assert_eq!(run(&jobs), [55, 25]);
    }

    #[test]
    fn invocations_of_one_function_take_turns() {
        let jobs = [job_of(2, 0, 10 * MS), job_of(2, 0, 10 * MS)];
        assert_eq!(run(&jobs), [20, 15]);
    }

    #[test]
    fn without_a_slice_turns_are_fair() {
        let jobs = [job_of(3, 0, 6 * MS), job_of(3, 0, 6 * MS)];
        assert_eq!(run(&jobs), [12, 9]);
    }
}
