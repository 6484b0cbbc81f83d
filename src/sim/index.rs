// SPDX-License-Identifier: GPL-2.0-only
//! Preemptive order by an index: a number that depends on a job's function
//! and on what the job has attained.
//!
//! SERPT is the order by the expected remaining time; M-SERPT by the largest
//! it has been so far, so that a job's rank never improves (Scully,
//! Harchol-Balter and Scheller-Wolf, POMACS 2020, show that it is within a
//! constant factor of optimal in the M/G/1); Gittins by the inverse of the
//! Gittins index, which is optimal there.

use super::discipline::{Discipline, Standing};
use super::tables::Tables;
use crate::invocation::{FunctionId, Invocation};
use crate::policy::grid::{BUCKETS, bucket, start};

/// What jobs are ordered by, smaller first.
pub trait Index {
    /// The index of a job of `function` that has had `attained_ns`.
    fn value(&mut self, function: FunctionId, attained_ns: u64, now_ns: u64) -> u64;

    /// Up to which attained service that value holds.
    fn holds_until_ns(&self, attained_ns: u64) -> u64;

    /// See [`Discipline::served`].
    fn served(&mut self, _cpu_ns: u64) {}

    /// See [`Discipline::finished`].
    fn finished(&mut self, _invocation: &Invocation) {}
}

/// The jobs with the least index run.
#[derive(Debug)]
pub struct ByIndex<I>(pub I);

impl<I: Index> Discipline for ByIndex<I> {
    type Key = u64;

    fn arrived(&mut self, at: &Standing) -> u64 {
        self.0.value(at.job.function, at.attained_ns, at.now_ns)
    }

    fn turn_ns(&mut self, at: &Standing) -> u64 {
        self.0.holds_until_ns(at.attained_ns) - at.attained_ns
    }

    fn served(&mut self, cpu_ns: u64) {
        self.0.served(cpu_ns);
    }

    fn finished(&mut self, invocation: &Invocation) {
        self.0.finished(invocation);
    }
}

/// The biases of a policy table as an index.
#[derive(Debug)]
pub struct Curves<'a> {
    pub tables: &'a mut Tables,
    /// Whether a job's index never falls: M-SERPT instead of SERPT.
    pub monotone: bool,
}

impl Index for Curves<'_> {
    fn value(&mut self, function: FunctionId, attained_ns: u64, now_ns: u64) -> u64 {
        let Some(entry) = self.tables.entry(function, now_ns) else {
            return 0;
        };
        if self.monotone {
            let passed = &entry.bias_ns[..=bucket(attained_ns)];
            passed.iter().copied().max().unwrap_or(0)
        } else {
            entry.bias_at(attained_ns)
        }
    }

    fn holds_until_ns(&self, attained_ns: u64) -> u64 {
        next_bucket_ns(attained_ns)
    }

    fn served(&mut self, cpu_ns: u64) {
        self.tables.served(cpu_ns);
    }

    fn finished(&mut self, invocation: &Invocation) {
        self.tables.finished(invocation);
    }
}

/// Where the bucket after that of `attained_ns` begins; `u64::MAX` past the last.
pub(super) fn next_bucket_ns(attained_ns: u64) -> u64 {
    let next = bucket(attained_ns) + 1;
    if next < BUCKETS {
        start(next)
    } else {
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{PolicyEntry, PolicyTable};
    use crate::sim::srpt::Srpt;
    use crate::sim::test::{finishes, job, job_of};
    use crate::sim::{Job, las};
    use proptest::prelude::*;
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    /// What is left of functions that all take `sizes_ns`, by slot.
    struct Deterministic(Vec<u64>);

    impl Index for Deterministic {
        fn value(&mut self, function: FunctionId, attained_ns: u64, _now_ns: u64) -> u64 {
            self.0[function.slot()] - attained_ns
        }

        fn holds_until_ns(&self, attained_ns: u64) -> u64 {
            attained_ns + 1
        }
    }

    /// The attained service itself.
    struct Attained;

    impl Index for Attained {
        fn value(&mut self, _function: FunctionId, attained_ns: u64, _now_ns: u64) -> u64 {
            attained_ns
        }

        fn holds_until_ns(&self, attained_ns: u64) -> u64 {
            attained_ns + 1
        }
    }

    fn tables(curves: &[[u64; BUCKETS]]) -> Tables {
        let entries = curves.iter().map(|&bias_ns| PolicyEntry {
            bias_ns,
            samples: 1,
            ..PolicyEntry::default()
        });
        Tables::fixed(PolicyTable::new(entries.collect()))
    }

    fn finishes_by(curves: &[[u64; BUCKETS]], monotone: bool, jobs: &[Job]) -> Vec<u64> {
        let mut tables = tables(curves);
        let curves = Curves {
            tables: &mut tables,
            monotone,
        };
        finishes(&mut ByIndex(curves), jobs, 1)
    }

    #[test]
    fn a_job_whose_index_rises_gives_way_at_the_boundary() {
        let (a, b) = (start(1), start(2));
        let mut rising = [9; BUCKETS];
        rising[0] = 1;
        // Of two jobs of the function, neither is finished within the first
        // bucket; the second has its first bucket when the first has had its own.
        let jobs = [job_of(0, 0, b), job_of(0, 0, b)];
        assert_eq!(finishes_by(&[rising], false, &jobs), [2 * b, a + b]);
    }

    #[test]
    fn a_falling_index_is_kept_up_by_monotony() {
        let mut falling = [1; BUCKETS];
        falling[0] = 5;
        let constant = [3; BUCKETS];
        let long = 2 * start(1);
        let jobs = [job_of(0, 0, long), job_of(1, start(1) + 1, long)];
        // By now the first is at 1, or still at 5.
        let by = |monotone| finishes_by(&[falling, constant], monotone, &jobs);
        assert_eq!(by(false), [long, 2 * long]);
        assert_eq!(by(true), [2 * long, start(1) + 1 + long]);
    }

    #[test]
    fn equal_indices_do_not_take_turns() {
        let jobs = [job(0, 1 << 20), job(0, 1 << 20)];
        let finishes = finishes_by(&[[7; BUCKETS]], false, &jobs);
        assert_eq!(finishes, [1 << 20, 2 << 20]);
    }

    /// Equals finish one after the other here, and together there, so that an
    /// arrival in between makes a difference for one; but not in the mean.
    #[test]
    fn by_attained_service_it_is_foreground_background_in_steps() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let jobs: Vec<_> = (0..500)
            .map(|_| job(rng.random_range(0..100_000), rng.random_range(1..400)))
            .collect();
        for cpus in [1, 2] {
            let steps = finishes(&mut ByIndex(Attained), &jobs, cpus);
            let exact = las::replay(&jobs, cpus);
            let exact = exact.iter().map(|outcome| outcome.finish_ns);
            let ratio = response_ns(&jobs, steps) / response_ns(&jobs, exact);
            assert!((0.99..1.01).contains(&ratio), "{cpus} CPUs: {ratio}");
        }
    }

    fn response_ns(jobs: &[Job], finishes: impl IntoIterator<Item = u64>) -> f64 {
        let pairs = jobs.iter().zip(finishes);
        pairs.map(|(job, at)| (at - job.arrival_ns) as f64).sum()
    }

    proptest! {
        #[test]
        fn for_deterministic_sizes_the_expected_remaining_time_is_srpt(
            arrivals in prop::collection::vec((0u64..60, 0u32..4), 0..30),
            cpus in 1usize..4,
        ) {
            let sizes = vec![2, 3, 7, 19];
            let jobs: Vec<_> = arrivals
                .iter()
                .map(|&(at, slot)| job_of(slot, at, sizes[slot as usize]))
                .collect();
            let serpt = finishes(&mut ByIndex(Deterministic(sizes)), &jobs, cpus);
            prop_assert_eq!(serpt, finishes(&mut Srpt::default(), &jobs, cpus));
        }
    }
}
