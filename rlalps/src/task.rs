// SPDX-License-Identifier: GPL-2.0-only
//! One task: who it is, and the service it has had.

use scx_alps::invocation::FunctionId;

use crate::functions::Place;

/// Tasks whose cgroup was looked up so long ago, or half their time ago if
/// that is less, are looked up again: they may have been moved.
const LOOK_AGAIN_NS: u64 = 1_000_000_000;
const LOOK_AGAIN_SOON_NS: u64 = 2_000_000;

/// What is remembered of a task between its visits.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub place: Place,
    /// What it takes in truth, where it was told.
    pub told_ns: Option<u64>,
    /// When it became runnable plus service since, on our clock.
    pub base_ns: u64,
    seen_first_ns: u64,
    seen_last_ns: u64,
    look_again_ns: u64,
    /// Service of this invocation before the task last slept.
    before_ns: u64,
    /// Service since then.
    burst_ns: u64,
    mean_burst_ns: u64,
}

/// What the kernel side says of a task's service.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub now_ns: u64,
    /// Service since it last slept.
    pub burst_ns: u64,
    /// How long ago it last left a CPU; `None` where it never ran.
    pub off_cpu_ns: Option<u64>,
}

impl Task {
    /// A task that is seen for the first time.
    pub fn new(visit: &Visit) -> Self {
        Self {
            place: Place::Function(FunctionId::PRIOR),
            told_ns: None,
            base_ns: visit.now_ns,
            seen_first_ns: visit.now_ns.saturating_sub(visit.burst_ns),
            seen_last_ns: visit.now_ns,
            look_again_ns: 0,
            before_ns: 0,
            burst_ns: visit.burst_ns,
            mean_burst_ns: 0,
        }
    }

    /// Service of this invocation.
    pub fn attained_ns(&self) -> u64 {
        self.before_ns.saturating_add(self.burst_ns)
    }

    /// Service since it last slept.
    pub fn burst_ns(&self) -> u64 {
        self.burst_ns
    }

    /// What it is expected to run yet by its own recent bursts; past that, as
    /// long again as it already has.
    pub fn remaining_burst_ns(&self) -> u64 {
        let half_ns = self.mean_burst_ns / 2;
        if self.burst_ns < half_ns {
            self.mean_burst_ns - self.burst_ns
        } else {
            self.burst_ns.max(half_ns)
        }
    }

    pub fn mean_burst_ns(&self) -> u64 {
        self.mean_burst_ns
    }

    /// Takes in that it is runnable again, or still. Who has slept for longer
    /// than `idle_gap_ns` begins another invocation. Its base never lies
    /// further back than `credit_ns`: no longer a wait counts.
    pub fn visit(&mut self, visit: &Visit, idle_gap_ns: u64, credit_ns: u64, weight: u64) {
        let has_slept = visit.burst_ns < self.burst_ns || visit.burst_ns == 0;
        if has_slept {
            self.mean_burst_ns = (self.mean_burst_ns / 4 * 3).saturating_add(self.burst_ns / 4);
            let slept_ns = if visit.burst_ns == 0 {
                visit.off_cpu_ns.unwrap_or(0)
            } else {
                // It woke to an idle CPU, of which nobody was told.
                (visit.now_ns - visit.burst_ns.min(visit.now_ns)).saturating_sub(self.seen_last_ns)
            };
            self.before_ns = if slept_ns > idle_gap_ns {
                0
            } else {
                self.attained_ns()
            };
            self.base_ns = visit.now_ns;
        } else {
            let ran_ns = visit.burst_ns - self.burst_ns;
            let counted_ns = weighted(ran_ns, weight);
            let oldest_ns = visit.now_ns.saturating_sub(credit_ns);
            self.base_ns = self.base_ns.saturating_add(counted_ns).max(oldest_ns);
        }
        self.burst_ns = visit.burst_ns;
        self.seen_last_ns = visit.now_ns;
    }

    /// Whether its cgroup is to be looked up now.
    pub fn is_to_be_looked_up(&mut self, now_ns: u64) -> bool {
        if now_ns < self.look_again_ns {
            return false;
        }
        let age_ns = now_ns.saturating_sub(self.seen_first_ns);
        let until_ns = (age_ns / 2).clamp(LOOK_AGAIN_SOON_NS, LOOK_AGAIN_NS);
        self.look_again_ns = now_ns.saturating_add(until_ns);
        true
    }
}

/// A time as it counts for a task of a weight; 100 is the usual one.
pub fn weighted(ns: u64, weight: u64) -> u64 {
    ns.saturating_mul(100) / weight.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn at(now_ms: u64, burst_ms: u64, off_cpu_ms: u64) -> Visit {
        Visit {
            now_ns: now_ms * MS,
            burst_ns: burst_ms * MS,
            off_cpu_ns: Some(off_cpu_ms * MS),
        }
    }

    fn visited(visits: &[Visit]) -> Task {
        let mut task = Task::new(&visits[0]);
        for visit in visits {
            task.visit(visit, 10 * MS, 8_000 * MS, 100);
        }
        task
    }

    #[test]
    fn service_counts_in_the_base_and_waiting_does_not() {
        let task = visited(&[at(100, 0, 0), at(150, 4, 0), at(200, 8, 0)]);
        assert_eq!((task.attained_ns(), task.base_ns), (8 * MS, 108 * MS));
    }

    #[test]
    fn a_short_sleep_goes_on_with_the_invocation_and_a_long_one_ends_it() {
        let run = [at(100, 0, 0), at(104, 4, 0)];
        let short = visited(&[&run[..], &[at(110, 0, 5), at(114, 3, 0)]].concat());
        assert_eq!((short.attained_ns(), short.burst_ns()), (7 * MS, 3 * MS));
        let long = visited(&[&run[..], &[at(150, 0, 45), at(154, 3, 0)]].concat());
        assert_eq!(long.attained_ns(), 3 * MS);
    }

    #[test]
    fn a_sleep_nobody_was_told_of_shows_in_the_service() {
        let run = [at(100, 0, 0), at(104, 4, 0), at(108, 8, 0)];
        let soon = visited(&[&run[..], &[at(115, 5, 0)]].concat());
        assert_eq!(soon.attained_ns(), 13 * MS);
        let late = visited(&[&run[..], &[at(200, 5, 0)]].concat());
        assert_eq!(late.attained_ns(), 5 * MS);
    }

    #[test]
    fn a_wait_counts_only_so_long() {
        let task = visited(&[at(0, 1, 0), at(20_000, 2, 0)]);
        assert_eq!(task.base_ns, 12_000 * MS);
    }

    #[test]
    fn bursts_are_expected_to_be_like_those_before() {
        let mut visits = Vec::new();
        for second in 1..40 {
            visits.push(at(1_000 * second, 0, 500));
            visits.push(at(1_000 * second + 40, 40, 0));
        }
        visits.push(at(40_000, 0, 500));
        let task = visited(&visits);
        let expected = task.remaining_burst_ns();
        assert!((38 * MS..=40 * MS).contains(&expected), "{expected}");
    }

    #[test]
    fn looking_up_doubles_its_pace_up_to_a_second() {
        let mut task = Task::new(&at(1_000, 0, 0));
        let looked = (1_000..11_000).filter(|&ms| task.is_to_be_looked_up(ms * MS));
        let looked: Vec<u64> = looked.collect();
        assert!(looked[1] - looked[0] == 2, "{looked:?}");
        assert!((20..40).contains(&looked.len()), "{looked:?}");
    }

    proptest! {
        #[test]
        fn any_visits_are_survived(
            visits in prop::collection::vec((any::<u64>(), any::<u64>(), any::<Option<u64>>(), 0u64..20_000), 1..20),
        ) {
            let visit = |&(now_ns, burst_ns, off_cpu_ns, _)| Visit { now_ns, burst_ns, off_cpu_ns };
            let mut task = Task::new(&visit(&visits[0]));
            for each in &visits {
                task.visit(&visit(each), 10 * MS, 8_000 * MS, each.3);
                task.remaining_burst_ns();
            }
        }
    }
}
