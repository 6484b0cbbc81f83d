// SPDX-License-Identifier: GPL-2.0-only
//! ALPS as it is enforced here: the key of the BPF side, with the same policy
//! table (see `src/bpf/rank.bpf.h` and `place.bpf.h`).
//!
//! ```text
//! key = (when it became runnable + service since then) + bias[function][bucket(attained)]
//! ```
//!
//! The kernel looks at a running task at its ticks; here it is looked at when
//! it matters, so this is what enforcing would be with the finest tick. Grace,
//! rescue, hand-over and weights are left out: invocations here do not enter
//! the kernel, never sleep, and count the same.

use super::discipline::{Discipline, Next, Standing};
use super::index::next_bucket_ns;
use super::tables::Tables;
use crate::invocation::Invocation;
use crate::learn::BiasFactor;
use crate::policies::{self, Policy};
use crate::policy::credit::credit_ns;
use crate::policy::grid::bucket;

/// How the table is enforced; the defaults are those of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enforcement {
    /// How much smaller a waiting key must be for a running job to give way
    /// before its slice ends. Default 2 ms.
    pub preempt_margin_ns: u64,
    /// Slice of a function that has none of its own. Default 5 ms.
    pub default_slice_ns: u64,
    /// The largest bias, which bounds how much waiting is
    /// [credited](crate::policy::credit). Default 16 s.
    pub max_bias_ns: u64,
}

impl Default for Enforcement {
    fn default() -> Self {
        const MS: u64 = 1_000_000;
        Self {
            preempt_margin_ns: 2 * MS,
            default_slice_ns: 5 * MS,
            max_bias_ns: 16_000 * MS,
        }
    }
}

/// ALPS as enforced.
#[derive(Debug)]
pub struct Alps<'a> {
    tables: &'a mut Tables,
    enforcement: Enforcement,
    asked: Option<Asked>,
    /// By order of arrival.
    tasks: Vec<Task>,
}

/// A policy that is asked about every job, instead of a table it has made.
#[derive(Clone, Copy, Debug)]
struct Asked {
    policy: &'static dyn Policy,
    bias_factor: BiasFactor,
}

/// What the kernel side remembers of a task.
#[derive(Clone, Copy, Debug, Default)]
struct Task {
    /// When it became runnable, plus service since, less what exceeds the
    /// credit for waiting, at the attained service given.
    base_ns: u64,
    noted_ns: u64,
    /// The attained service at which its slice ends.
    slice_until_ns: u64,
    seen: Seen,
}

/// What was read of the policy when the table or the bucket last changed.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// 0 before the first look.
    version: u64,
    bucket: usize,
    is_expected: bool,
}

impl<'a> Alps<'a> {
    pub fn new(tables: &'a mut Tables, enforcement: Enforcement) -> Self {
        Self {
            tables,
            enforcement,
            asked: None,
            tasks: Vec::new(),
        }
    }

    /// The same order with biases from a policy that is asked; the tables are
    /// of [expectations](crate::learn::LearnerConfig::expectations).
    pub fn asking(
        policy: &'static dyn Policy,
        bias_factor: BiasFactor,
        expectations: &'a mut Tables,
        enforcement: Enforcement,
    ) -> Self {
        Self {
            asked: Some(Asked {
                policy,
                bias_factor,
            }),
            ..Self::new(expectations, enforcement)
        }
    }

    fn task(&mut self, at: &Standing) -> &mut Task {
        if at.order >= self.tasks.len() {
            self.tasks.resize(at.order + 1, Task::default());
        }
        &mut self.tasks[at.order]
    }

    fn rank(&mut self, at: &Standing) -> i64 {
        let max_bias_ns = self.enforcement.max_bias_ns;
        let bias_ns = match self.asked {
            None => {
                let entry = self.tables.entry(at.job.function, at.now_ns);
                entry.map_or(0, |entry| entry.bias_at(at.attained_ns))
            }
            Some(asked) => {
                let distance_ns = asked.policy.distance_ns(&self.standing(at));
                asked.bias_factor.bias_ns(distance_ns, max_bias_ns)
            }
        };
        self.look(at);
        let task = self.task(at);
        let ran_ns = at.attained_ns - task.noted_ns;
        task.base_ns = task.base_ns.saturating_add(ran_ns);
        task.noted_ns = at.attained_ns;
        signed(task.base_ns.saturating_add(bias_ns))
    }

    /// Looks whether the job is as long as expected where its bucket or the
    /// table is another than at the last look.
    fn look(&mut self, at: &Standing) {
        let (function, attained_ns) = (at.job.function, at.attained_ns);
        let (version, bucket) = (self.tables.version(at.now_ns), bucket(attained_ns));
        let seen = self.task(at).seen;
        if (seen.version, seen.bucket) == (version, bucket) {
            return;
        }
        let table = self.tables.table(at.now_ns);
        let own = table.get(function);
        let is_expected =
            table.is_learned(function) && own.is_some_and(|own| own.expects(attained_ns));
        self.task(at).seen = Seen {
            version,
            bucket,
            is_expected,
        };
    }

    /// What a policy is told of a job: the truth as well.
    fn standing(&mut self, at: &Standing) -> policies::Standing {
        let entry = self.tables.entry(at.job.function, at.now_ns);
        let expected = entry.map_or_else(Default::default, |entry| {
            policies::Standing::expected(entry, at.attained_ns)
        });
        policies::Standing {
            attained_ns: at.attained_ns,
            told_ns: Some(at.job.cpu_ns),
            ..expected
        }
    }

    fn slice_ns(&mut self, at: &Standing) -> u64 {
        let default_ns = self.enforcement.default_slice_ns;
        if let Some(Asked { policy, .. }) = self.asked
            && let Some(slice_ns) = policies::slice_ns(policy, &self.standing(at))
        {
            return slice_ns;
        }
        match self.tables.entry(at.job.function, at.now_ns) {
            Some(entry) if entry.slice_ns > 0 => entry.slice_ns,
            _ => default_ns,
        }
    }
}

impl Discipline for Alps<'_> {
    /// A virtual time. Anchored, it is less by the time of the anchor, so that
    /// running jobs, which age by a nanosecond each nanosecond, stay in order.
    type Key = i64;

    fn arrived(&mut self, at: &Standing) -> i64 {
        self.task(at).base_ns = at.now_ns;
        self.rank(at)
    }

    fn preempted(&mut self, at: &Standing) -> i64 {
        self.task(at).slice_until_ns = at.attained_ns;
        self.rank(at)
    }

    /// Of the time a task has waited it keeps so much credit.
    fn switched_in(&mut self, at: &Standing, key: i64) -> i64 {
        let bias_factor = match self.asked {
            None => self.tables.bias_factor(at.now_ns),
            Some(asked) => asked.bias_factor,
        };
        let max_bias_ns = self.enforcement.max_bias_ns;
        let is_expected = self.task(at).seen.is_expected;
        let credit_ns = credit_ns(max_bias_ns, bias_factor.get(), is_expected);
        let oldest_ns = at.now_ns.saturating_sub(credit_ns);
        let task = self.task(at);
        let excess_ns = oldest_ns.saturating_sub(task.base_ns);
        task.base_ns += excess_ns;
        key.saturating_add(signed(excess_ns))
    }

    fn turn_ns(&mut self, at: &Standing) -> u64 {
        let slice_ns = self.slice_ns(at);
        let task = self.task(at);
        if task.slice_until_ns <= at.attained_ns {
            task.slice_until_ns = at.attained_ns.saturating_add(slice_ns.max(1));
        }
        let until_ns = task.slice_until_ns.min(next_bucket_ns(at.attained_ns));
        until_ns - at.attained_ns
    }

    /// At the end of its slice a task goes on only while it has the smallest
    /// key; in another bucket it has another key.
    fn turn_over(&mut self, at: &Standing) -> Next<i64> {
        let key = self.rank(at);
        if self.task(at).slice_until_ns <= at.attained_ns {
            Next::Contend(key)
        } else {
            Next::GoOn(key)
        }
    }

    fn anchored(key: i64, from_ns: u64) -> i64 {
        key.saturating_sub(signed(from_ns))
    }

    fn aged(anchored: i64, now_ns: u64) -> i64 {
        anchored.saturating_add(signed(now_ns))
    }

    fn gives_way(&self, running: i64, waiting: i64) -> bool {
        running.saturating_sub(waiting) > signed(self.enforcement.preempt_margin_ns)
    }

    fn gives_way_at_ns(&self, anchored: i64, waiting: i64) -> Option<u64> {
        let margin_ns = signed(self.enforcement.preempt_margin_ns);
        let at = waiting.checked_add(margin_ns)?.checked_sub(anchored)?;
        u64::try_from(at.checked_add(1)?).ok()
    }

    fn served(&mut self, cpu_ns: u64) {
        self.tables.served(cpu_ns);
    }

    fn finished(&mut self, invocation: &Invocation) {
        self.tables.finished(invocation);
    }
}

/// Past 292 years all times are the same.
fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{BUCKETS, PolicyEntry, PolicyTable};
    use crate::sim::Job;
    use crate::sim::test::{finishes, job_of};

    const MS: u64 = 1_000_000;

    fn entry(bias_ms: u64) -> PolicyEntry {
        PolicyEntry {
            bias_ns: [bias_ms * MS; BUCKETS],
            samples: 1,
            ..PolicyEntry::default()
        }
    }

    fn run(entries: Vec<PolicyEntry>, enforcement: Enforcement, jobs: &[Job]) -> Vec<u64> {
        let mut tables = Tables::fixed(PolicyTable::new(entries));
        let finishes = finishes(&mut Alps::new(&mut tables, enforcement), jobs, 1);
        finishes.iter().map(|ns| ns / 1000).collect()
    }

    #[test]
    fn a_smaller_bias_goes_first_and_preempts() {
        let jobs = [job_of(1, 0, 50 * MS), job_of(2, 10 * MS, 5 * MS)];
        let entries = vec![entry(0), entry(800), entry(80)];
        let finishes = run(entries, Enforcement::default(), &jobs);
        assert_eq!(finishes, [55_000, 15_000]);
    }

    #[test]
    fn who_waits_passes_every_newcomer_in_the_end() {
        // Of the two that wait at 100 ms, one has the larger bias, by 70 ms, and
        // came 99 ms before the other.
        let jobs = [
            job_of(2, 0, 100 * MS),
            job_of(1, 0, 10 * MS),
            job_of(2, 99 * MS, 10 * MS),
        ];
        let no_margin = Enforcement {
            preempt_margin_ns: 200 * MS,
            default_slice_ns: 1_000 * MS,
            ..Enforcement::default()
        };
        let finishes = run(vec![entry(0), entry(80), entry(10)], no_margin, &jobs);
        assert_eq!(finishes, [100_000, 110_000, 120_000]);
    }

    #[test]
    fn a_running_job_ages_past_a_waiting_one_by_the_margin() {
        let jobs = [job_of(1, 0, 50 * MS), job_of(2, 0, 50 * MS)];
        let long_slices = Enforcement {
            default_slice_ns: 1_000 * MS,
            ..Enforcement::default()
        };
        // The first is ahead by 10 ms and gives way 2 ms after it has used
        // them up; then they take turns of twice the margin.
        let mut tables = Tables::fixed(PolicyTable::new(vec![entry(0), entry(10), entry(20)]));
        let slices = crate::sim::test::slices(&mut Alps::new(&mut tables, long_slices), &jobs, 1);
        let lengths: Vec<u64> = slices.iter().map(|s| s.length_ns() / 1000).collect();
        assert_eq!(&lengths[..3], [12_000, 4_000, 4_000]);
    }

    #[test]
    fn at_the_end_of_a_slice_the_smaller_key_runs_without_a_margin() {
        let jobs = [job_of(1, 0, 20 * MS), job_of(1, 0, 20 * MS)];
        let wide = Enforcement {
            preempt_margin_ns: 1_000 * MS,
            ..Enforcement::default()
        };
        let finishes = run(vec![entry(0), entry(10)], wide, &jobs);
        assert_eq!(finishes, [40_000, 35_000]);
    }

    #[test]
    fn credit_for_waiting_is_limited() {
        let limited = Enforcement {
            max_bias_ns: 20 * MS,
            default_slice_ns: 1_000 * MS,
            preempt_margin_ns: 0,
        };
        // The second waits for 1 s; had it credit for all of that, its key
        // would be 1.511 s when the third comes with one of 2.011 s.
        let jobs = [
            job_of(1, 0, 1_000 * MS),
            job_of(2, 0, 100 * MS),
            job_of(3, 1_011 * MS, MS),
        ];
        let entries = vec![entry(0), entry(0), entry(1_500), entry(1_000)];
        let finishes = run(entries, limited, &jobs);
        assert_eq!(finishes[2], 1_012_000);
    }

    #[test]
    fn an_invocation_as_long_as_expected_keeps_nearly_all_its_credit() {
        let limited = Enforcement {
            max_bias_ns: 1_000 * MS,
            default_slice_ns: 10_000 * MS,
            preempt_margin_ns: 0,
        };
        // The second has waited for 900 ms with a key of 1 s, which becomes 1.4 s
        // where only half of the largest bias is credited; the third comes with
        // one of 1.31 s.
        let jobs = [
            job_of(1, 0, 900 * MS),
            job_of(2, 0, 100 * MS),
            job_of(3, 910 * MS, MS),
        ];
        let finishes = |predicted_ms| {
            let predicted = |bias_ms| PolicyEntry {
                predicted_ns: predicted_ms * MS,
                ..entry(bias_ms)
            };
            let entries = vec![entry(0), entry(0), predicted(1_000), entry(400)];
            run(entries, limited, &jobs)[2]
        };
        assert_eq!([finishes(30), finishes(0)], [1_001_000, 911_000]);
    }

    #[test]
    fn a_bias_that_changes_with_service_changes_the_order() {
        // Bimodal: what has not ended after 3 ms will take long.
        let mut bias_ns = [10 * MS; BUCKETS];
        bias_ns[crate::policy::grid::bucket(3 * MS)..].fill(1_000 * MS);
        let bimodal = PolicyEntry {
            bias_ns,
            samples: 1,
            ..PolicyEntry::default()
        };
        let boundary = crate::policy::grid::start(crate::policy::grid::bucket(3 * MS)) / 1000;
        let jobs = [job_of(1, 0, 100 * MS), job_of(2, MS, 5 * MS)];
        let finishes = run(
            vec![entry(0), bimodal, entry(100)],
            Enforcement::default(),
            &jobs,
        );
        assert_eq!(finishes[1], boundary + 5_000);
    }
}
