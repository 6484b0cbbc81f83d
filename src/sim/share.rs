// SPDX-License-Identifier: GPL-2.0-only
//! Weighted processor sharing: the ideal that CFS and EEVDF approximate.
//!
//! Groups share the CPUs in proportion to their weights, and the jobs of a
//! group share equally; but no job has more than one CPU, so a group of `n`
//! has `n` at most, and what it cannot use is for the others. With a group for
//! each job these are plain processes; with one for each function, one cgroup
//! a function with the cpu controller on.
//!
//! All groups below their limit are served at one speed for each unit of
//! weight. Service in that measure, the level, is a virtual time in which the
//! end of a job is fixed until its group changes (Parekh and Gallager, 1993,
//! have it for one CPU).

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::clock::{Amount, Clock};
use super::job::{Job, Outcome, arrivals};

/// Which jobs form a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Every job is one.
    Jobs,
    /// All jobs of a function are one.
    Functions,
}

/// The weight of a cgroup unless it is set.
pub const DEFAULT_WEIGHT: u32 = 100;

/// The weights of functions: of each of their jobs, or of their group.
#[derive(Clone, Debug, Default)]
pub struct Weights(Vec<u32>);

impl Weights {
    /// By slot; 0 counts as 1, and functions past the end have [`DEFAULT_WEIGHT`].
    pub fn new(by_slot: Vec<u32>) -> Self {
        Self(by_slot)
    }

    fn of(&self, slot: usize) -> u32 {
        self.0.get(slot).copied().unwrap_or(DEFAULT_WEIGHT).max(1)
    }
}

/// Replays `jobs`, in any order, under processor sharing on `cpus` CPUs
/// (0 counts as 1).
///
/// The outcomes come in the order of the input. Sharing is ideal: it costs
/// nothing and nobody is ever switched out, so there are no slices and no
/// switches. The cost is `O(n log n)`; where the number of jobs crosses that
/// of the CPUs, `O(cpus log n)`. Times are exact to a nanosecond or so.
pub fn replay(jobs: &[Job], cpus: usize, groups: Groups, weights: &Weights) -> Vec<Outcome> {
    let mut sharing = Sharing {
        jobs,
        cpus: cpus.max(1) as u64,
        by: groups,
        clock: Clock::default(),
        level_ns: 0.0,
        groups: Vec::new(),
        free: Vec::new(),
        limited: Side::default(),
        sharing: Side::default(),
        limited_cpus: 0,
        sharing_weight: 0,
        outcomes: vec![Outcome::pending(); jobs.len()],
    };
    for (arrival_ns, index) in arrivals(jobs) {
        sharing.run_until(arrival_ns);
        sharing.admit(index, weights);
    }
    sharing.run_until(u64::MAX);
    sharing.outcomes
}

struct Group {
    weight: u64,
    /// Whether it has a CPU for each of its jobs.
    is_limited: bool,
    /// What a job has had that was there since the group has been.
    served_ns: f64,
    /// When that was so: a time of the clock if limited, a level otherwise.
    at: f64,
    /// What `served_ns` is at their ends, and their indices, the next first.
    jobs: BinaryHeap<Reverse<(Amount, usize)>>,
}

impl Group {
    fn new(weight: u32) -> Self {
        Self {
            weight: u64::from(weight),
            is_limited: false,
            served_ns: 0.0,
            at: 0.0,
            jobs: BinaryHeap::new(),
        }
    }

    fn count(&self) -> u64 {
        self.jobs.len() as u64
    }

    /// CPUs for each unit of weight at which it is at its limit.
    fn limit(&self) -> Amount {
        Amount(self.count() as f64 / self.weight as f64)
    }

    /// What a job is served while the clock, or the level, advances by one.
    fn speed(&self) -> f64 {
        if self.is_limited {
            1.0
        } else {
            self.weight as f64 / self.count().max(1) as f64
        }
    }

    /// When the next job ends, on the measure that `at` is in.
    fn due(&self) -> Amount {
        let end_ns = self.jobs.peek().map_or(self.served_ns, |entry| entry.0.0.0);
        Amount(self.at + (end_ns - self.served_ns).max(0.0) / self.speed())
    }
}

/// The groups at their limits, or those below.
#[derive(Default)]
struct Side {
    by_due: BTreeSet<(Amount, usize)>,
    by_limit: BTreeSet<(Amount, usize)>,
}

impl Side {
    fn insert(&mut self, id: usize, group: &Group) {
        self.by_due.insert((group.due(), id));
        self.by_limit.insert((group.limit(), id));
    }

    fn remove(&mut self, id: usize, group: &Group) {
        self.by_due.remove(&(group.due(), id));
        self.by_limit.remove(&(group.limit(), id));
    }
}

struct Sharing<'a> {
    jobs: &'a [Job],
    cpus: u64,
    by: Groups,
    clock: Clock,
    /// Service for each unit of weight of the groups below their limits.
    level_ns: f64,
    /// By slot of the function; or any, with those that are free listed.
    groups: Vec<Group>,
    free: Vec<usize>,
    limited: Side,
    sharing: Side,
    /// Jobs in limited groups: so many CPUs are theirs.
    limited_cpus: u64,
    /// Of the groups that are not.
    sharing_weight: u64,
    outcomes: Vec<Outcome>,
}

impl Sharing<'_> {
    fn admit(&mut self, index: usize, weights: &Weights) {
        let job = self.jobs[index];
        if job.cpu_ns == 0 {
            self.outcomes[index] = Outcome::immediate(&job);
            return;
        }
        self.outcomes[index].first_run_ns = job.arrival_ns;
        if self.limited_cpus == 0 && self.sharing_weight == 0 {
            self.clock = Clock::starting(job.arrival_ns);
            self.level_ns = 0.0;
        }
        let id = self.group_of(&job, weights);
        self.take(id);
        let group = &mut self.groups[id];
        if group.jobs.is_empty() {
            group.served_ns = 0.0;
        }
        let end_ns = Amount(group.served_ns + job.cpu_ns as f64);
        group.jobs.push(Reverse((end_ns, index)));
        self.put(id, false);
        self.balance();
    }

    fn group_of(&mut self, job: &Job, weights: &Weights) -> usize {
        let slot = job.function.slot();
        match self.by {
            Groups::Functions => {
                while self.groups.len() <= slot {
                    let weight = weights.of(self.groups.len());
                    self.groups.push(Group::new(weight));
                }
                slot
            }
            Groups::Jobs => {
                let id = self.free.pop().unwrap_or(self.groups.len());
                let group = Group::new(weights.of(slot));
                match self.groups.get_mut(id) {
                    Some(freed) => *freed = group,
                    None => self.groups.push(group),
                }
                id
            }
        }
    }

    fn run_until(&mut self, until_ns: u64) {
        while let Some((after_ns, id)) = self.next_end() {
            let left_ns = self.clock.until(until_ns);
            if after_ns > left_ns {
                self.advance(left_ns);
                return;
            }
            self.advance(after_ns);
            self.finish(id);
            self.balance();
        }
    }

    /// CPUs for each unit of weight of the groups below their limits.
    fn rate(&self) -> f64 {
        (self.cpus - self.limited_cpus) as f64 / self.sharing_weight as f64
    }

    /// How long until the next job ends, and in which group.
    fn next_end(&self) -> Option<(f64, usize)> {
        let limited = self.limited.by_due.first();
        let limited = limited.map(|&(due, id)| (due.0 - self.clock.elapsed_ns(), id));
        let sharing = self.sharing.by_due.first();
        let sharing = sharing.map(|&(due, id)| ((due.0 - self.level_ns) / self.rate(), id));
        let ends = limited.into_iter().chain(sharing);
        ends.map(|(after_ns, id)| (after_ns.max(0.0), id))
            .min_by(|one, two| one.0.total_cmp(&two.0))
    }

    fn advance(&mut self, by_ns: f64) {
        if self.sharing_weight > 0 {
            self.level_ns += by_ns * self.rate();
        }
        self.clock.advance(by_ns);
    }

    fn finish(&mut self, id: usize) {
        self.take(id);
        let group = &mut self.groups[id];
        if let Some(Reverse((end_ns, index))) = group.jobs.pop() {
            group.served_ns = end_ns.0;
            let job = &self.jobs[index];
            // Rounding must not let a job end before it can.
            let earliest_ns = job.arrival_ns.saturating_add(job.cpu_ns);
            self.outcomes[index].finish_ns = self.clock.now_ns().max(earliest_ns);
        }
        if !group.jobs.is_empty() {
            self.put(id, false);
        } else if self.by == Groups::Jobs {
            self.free.push(id);
        }
    }

    /// Takes a group off its side and brings what it has had up to date.
    fn take(&mut self, id: usize) {
        let group = &mut self.groups[id];
        if group.jobs.is_empty() {
            return;
        }
        let now = if group.is_limited {
            self.limited.remove(id, group);
            self.limited_cpus -= group.count();
            self.clock.elapsed_ns()
        } else {
            self.sharing.remove(id, group);
            self.sharing_weight -= group.weight;
            self.level_ns
        };
        group.served_ns += (now - group.at) * group.speed();
        group.at = now;
    }

    /// Puts a group that is on neither side on one.
    fn put(&mut self, id: usize, is_limited: bool) {
        let group = &mut self.groups[id];
        group.is_limited = is_limited;
        if is_limited {
            group.at = self.clock.elapsed_ns();
            self.limited.insert(id, group);
            self.limited_cpus += group.count();
        } else {
            group.at = self.level_ns;
            self.sharing.insert(id, group);
            self.sharing_weight += group.weight;
        }
    }

    /// Moves groups until exactly those are limited that could not use their
    /// share. In whole numbers, so that it comes to an end.
    fn balance(&mut self) {
        loop {
            let left = u128::from(self.cpus - self.limited_cpus);
            let weight = u128::from(self.sharing_weight);
            let exceeds = |group: &Group| {
                u128::from(group.count()) * weight > left * u128::from(group.weight)
            };
            if let Some(&(_, id)) = self.limited.by_limit.last()
                && exceeds(&self.groups[id])
            {
                self.take(id);
                self.put(id, false);
            } else if let Some(&(_, id)) = self.sharing.by_limit.first()
                && !exceeds(&self.groups[id])
            {
                self.take(id);
                self.put(id, true);
            } else {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::test::{job, job_of, jobs};
    use proptest::prelude::*;

    fn finishes(jobs: &[Job], cpus: usize, groups: Groups, weights: &[u32]) -> Vec<u64> {
        let weights = Weights::new(weights.to_vec());
        let outcomes = replay(jobs, cpus, groups, &weights);
        outcomes.iter().map(|outcome| outcome.finish_ns).collect()
    }

    fn plain(jobs: &[Job], cpus: usize) -> Vec<u64> {
        finishes(jobs, cpus, Groups::Jobs, &[])
    }

    #[test]
    fn jobs_share_equally() {
        assert_eq!(plain(&[job(0, 10), job(0, 30)], 1), [20, 40]);
        assert_eq!(plain(&[job(0, 30), job(10, 10)], 1), [40, 30]);
    }

    #[test]
    fn a_job_has_one_cpu_at_most() {
        assert_eq!(plain(&[job(0, 10), job(0, 30)], 4), [10, 30]);
        assert_eq!(plain(&[job(0, 20), job(0, 20), job(0, 20)], 2), [30; 3]);
    }

    #[test]
    fn shares_are_in_proportion_to_weights() {
        let jobs = [job_of(0, 0, 30), job_of(1, 0, 30)];
        // 3 to 1: the first ends at 40 and the second has had 10 by then.
        let finishes = finishes(&jobs, 1, Groups::Jobs, &[300, 100]);
        assert_eq!(finishes, [40, 60]);
    }

    #[test]
    fn what_a_heavy_job_cannot_use_is_for_the_others() {
        let jobs = [job_of(0, 0, 30), job_of(1, 0, 30), job_of(1, 0, 30)];
        let finishes = finishes(&jobs, 2, Groups::Jobs, &[10_000, 1]);
        // The heavy job has a CPU; the others share the second until it is done.
        assert_eq!(finishes, [30, 45, 45]);
    }

    #[test]
    fn functions_share_equally_however_many_jobs_they_have() {
        let jobs = [job_of(0, 0, 10), job_of(1, 0, 10), job_of(1, 0, 10)];
        let finishes = finishes(&jobs, 1, Groups::Functions, &[]);
        assert_eq!(finishes, [20, 30, 30]);
    }

    #[test]
    fn absurd_numbers_end_somewhere() {
        let jobs = [
            job(0, u64::MAX),
            job(u64::MAX, u64::MAX),
            job(u64::MAX - 1, 1),
            job(3, 0),
        ];
        for groups in [Groups::Jobs, Groups::Functions] {
            assert_eq!(finishes(&jobs, 1, groups, &[0, u32::MAX]).len(), 4);
        }
        assert!(plain(&[], 3).is_empty());
    }

    proptest! {
        #[test]
        fn quanta_of_a_nanosecond_come_close(jobs in jobs(12, 2_000, 1_000), cpus in 1usize..4) {
            let quanta = crate::sim::test::finishes(
                &mut crate::sim::round_robin::RoundRobin::new(1),
                &jobs,
                cpus,
            );
            for (ideal, quanta) in plain(&jobs, cpus).iter().zip(&quanta) {
                prop_assert!(ideal.abs_diff(*quanta) <= 144, "{ideal} {quanta}");
            }
        }

        #[test]
        fn with_one_job_a_function_the_groups_are_the_same(
            sizes in prop::collection::vec((0u64..50, 1u64..100), 1..6),
            cpus in 1usize..4,
        ) {
            let jobs: Vec<_> = (0..)
                .zip(&sizes)
                .map(|(slot, &(at, cpu))| job_of(slot, at, cpu))
                .collect();
            let weights = [100, 300, 50, 700, 20];
            let by = |groups| finishes(&jobs, cpus, groups, &weights);
            for (one, two) in by(Groups::Jobs).iter().zip(&by(Groups::Functions)) {
                prop_assert!(one.abs_diff(*two) <= 1);
            }
        }
    }
}
