// SPDX-License-Identifier: GPL-2.0-only
//! Clairvoyant preemptive SRPT: at every moment the jobs with the least
//! remaining CPU time run, one on each CPU.
//!
//! On one CPU no schedule has a lower mean response (Schrage, 1968); on
//! several it is the usual yardstick.

use super::discipline::{Discipline, Standing};
use super::job::{Job, Outcome, Slice};
use super::machine::{self, Machine};

/// Shortest remaining processing time first; the key is the remaining time.
///
/// A running job's anchored key is its end, since all run at the same speed.
///
/// Where switching costs, a job gives way only if the other's end, the switch
/// included, is nearer than its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Srpt {
    pub switch_cost_ns: u64,
}

impl Discipline for Srpt {
    type Key = u64;

    const DUE_IN_ORDER: bool = true;

    fn arrived(&mut self, at: &Standing) -> u64 {
        at.remaining_ns()
    }

    fn anchored(remaining_ns: u64, from_ns: u64) -> u64 {
        from_ns.saturating_add(remaining_ns)
    }

    fn aged(end_ns: u64, now_ns: u64) -> u64 {
        end_ns.saturating_sub(now_ns)
    }

    fn gives_way(&self, running_ns: u64, waiting_ns: u64) -> bool {
        waiting_ns.saturating_add(self.switch_cost_ns) < running_ns
    }
}

/// Replays `jobs`, in any order, under SRPT on `cpus` CPUs (0 counts as 1)
/// that switch at no cost; see [`machine::run`]. There are at most `2n` slices.
pub fn replay(jobs: &[Job], cpus: usize, on_slice: impl FnMut(Slice)) -> Vec<Outcome> {
    machine::run(&mut Srpt::default(), jobs, Machine::ideal(cpus), on_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::FunctionId;
    use proptest::prelude::*;

    fn job(arrival_ns: u64, cpu_ns: u64) -> Job {
        Job {
            function: FunctionId::PRIOR,
            arrival_ns,
            cpu_ns,
        }
    }

    fn run(jobs: &[Job], cpus: usize) -> (Vec<Outcome>, Vec<Slice>) {
        let mut slices = Vec::new();
        let outcomes = replay(jobs, cpus, |slice| slices.push(slice));
        (outcomes, slices)
    }

    fn finishes(outcomes: &[Outcome]) -> Vec<u64> {
        outcomes.iter().map(|outcome| outcome.finish_ns).collect()
    }

    /// SRPT by unit steps of time: for integer instances the same schedule.
    fn by_ticks(jobs: &[Job], cpus: usize) -> Vec<Outcome> {
        let mut remaining: Vec<u64> = jobs.iter().map(|job| job.cpu_ns).collect();
        let mut outcomes: Vec<Outcome> = jobs
            .iter()
            .map(|job| match job.cpu_ns {
                0 => Outcome::immediate(job),
                _ => Outcome::pending(),
            })
            .collect();
        let mut now = 0;
        while remaining.iter().any(|&left| left > 0) {
            let mut present: Vec<usize> = (0..jobs.len())
                .filter(|&index| jobs[index].arrival_ns <= now && remaining[index] > 0)
                .collect();
            present.sort_by_key(|&index| (remaining[index], jobs[index].arrival_ns, index));
            for index in present.into_iter().take(cpus) {
                outcomes[index].first_run_ns = outcomes[index].first_run_ns.min(now);
                remaining[index] -= 1;
                if remaining[index] == 0 {
                    outcomes[index].finish_ns = now + 1;
                }
            }
            now += 1;
        }
        outcomes
    }

    /// The least sum of finishes any schedule of one CPU reaches, by trying
    /// all choices, idling included, at every unit of time.
    fn least_total_finish(jobs: &[Job], remaining: &mut [u64], now: u64, horizon: u64) -> u64 {
        if remaining.iter().all(|&left| left == 0) {
            return 0;
        }
        if now == horizon {
            return u64::MAX;
        }
        let mut least = least_total_finish(jobs, remaining, now + 1, horizon);
        for index in 0..jobs.len() {
            if remaining[index] == 0 || jobs[index].arrival_ns > now {
                continue;
            }
            remaining[index] -= 1;
            let finish = if remaining[index] == 0 { now + 1 } else { 0 };
            let rest = least_total_finish(jobs, remaining, now + 1, horizon);
            least = least.min(rest.saturating_add(finish));
            remaining[index] += 1;
        }
        least
    }

    #[test]
    fn a_shorter_arrival_preempts_and_the_longer_resumes() {
        let (outcomes, slices) = run(&[job(0, 10), job(4, 3)], 1);
        assert_eq!(finishes(&outcomes), [13, 7]);
        let lengths: Vec<_> = slices.iter().map(Slice::length_ns).collect();
        assert_eq!(lengths, [4, 3, 6]);
    }

    #[test]
    fn an_arrival_with_an_equal_remainder_does_not_preempt() {
        let (outcomes, slices) = run(&[job(0, 10), job(4, 6)], 1);
        assert_eq!(finishes(&outcomes), [10, 16]);
        assert_eq!(slices.len(), 2);
    }

    #[test]
    fn the_longest_of_several_running_jobs_is_the_one_preempted() {
        let (outcomes, _) = run(&[job(0, 10), job(0, 5), job(1, 2)], 2);
        assert_eq!(finishes(&outcomes), [12, 5, 3]);
    }

    #[test]
    fn without_jobs_there_is_nothing() {
        let (outcomes, slices) = run(&[], 4);
        assert!(outcomes.is_empty() && slices.is_empty());
    }

    #[test]
    fn no_cpu_counts_as_one() {
        assert_eq!(
            run(&[job(0, 5), job(1, 1)], 0),
            run(&[job(0, 5), job(1, 1)], 1)
        );
    }

    #[test]
    fn a_job_without_cpu_time_interrupts_nobody() {
        let (outcomes, slices) = run(&[job(0, 10), job(3, 0)], 1);
        assert_eq!(finishes(&outcomes), [10, 3]);
        assert_eq!(slices.len(), 1);
    }

    #[test]
    fn the_end_of_time_ends_the_replay() {
        let jobs = [
            job(u64::MAX, u64::MAX),
            job(u64::MAX - 1, 1),
            job(0, u64::MAX),
            job(1, u64::MAX),
        ];
        for cpus in [1, 2, usize::MAX] {
            let (outcomes, _) = run(&jobs, cpus);
            assert_eq!(outcomes[1].finish_ns, u64::MAX);
        }
    }

    fn jobs(count: usize, span: u64, longest: u64) -> impl Strategy<Value = Vec<Job>> {
        prop::collection::vec(
            (0..=span, 0..=longest).prop_map(|(arrival_ns, cpu_ns)| job(arrival_ns, cpu_ns)),
            0..=count,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_schedule_of_one_cpu_has_a_lower_mean_response(jobs in jobs(4, 4, 2)) {
            let mut remaining: Vec<u64> = jobs.iter().map(|job| job.cpu_ns).collect();
            let idle: u64 = jobs.iter().filter(|job| job.cpu_ns == 0).map(|job| job.arrival_ns).sum();
            let least = idle + least_total_finish(&jobs, &mut remaining, 0, 12);
            let (outcomes, _) = run(&jobs, 1);
            prop_assert_eq!(finishes(&outcomes).iter().sum::<u64>(), least);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_schedule_of_unit_steps(jobs in jobs(24, 40, 12), cpus in 1usize..6) {
            let times = |outcomes: Vec<Outcome>| -> Vec<_> {
                outcomes.iter().map(|o| (o.first_run_ns, o.finish_ns)).collect()
            };
            prop_assert_eq!(times(run(&jobs, cpus).0), times(by_ticks(&jobs, cpus)));
        }

        #[test]
        fn slices_add_up_and_touch_no_other_slice_of_their_job(
            jobs in jobs(40, 60, 20),
            cpus in 1usize..6,
        ) {
            let (outcomes, slices) = run(&jobs, cpus);
            prop_assert!(slices.len() <= 2 * jobs.len());
            for (index, outcome) in outcomes.iter().enumerate() {
                let own: Vec<_> = slices.iter().filter(|slice| slice.job == index).collect();
                let served: u64 = own.iter().map(|slice| slice.length_ns()).sum();
                prop_assert_eq!(served, jobs[index].cpu_ns);
                prop_assert!(own.windows(2).all(|pair| pair[0].end_ns < pair[1].start_ns));
                if let (Some(first), Some(last)) = (own.first(), own.last()) {
                    prop_assert_eq!(first.start_ns, outcome.first_run_ns);
                    prop_assert_eq!(last.end_ns, outcome.finish_ns);
                }
                prop_assert!(jobs[index].arrival_ns <= outcome.first_run_ns);
                prop_assert!(outcome.first_run_ns <= outcome.finish_ns);
            }
        }

        #[test]
        fn as_many_jobs_run_as_are_present_or_cpus_exist(
            jobs in jobs(40, 60, 20),
            cpus in 1usize..6,
        ) {
            let (outcomes, slices) = run(&jobs, cpus);
            let end = outcomes.iter().map(|outcome| outcome.finish_ns).max().unwrap_or(0);
            for now in 0..end {
                let within = |from: u64, to: u64| from <= now && now < to;
                let present = jobs
                    .iter()
                    .zip(&outcomes)
                    .filter(|(job, outcome)| within(job.arrival_ns, outcome.finish_ns))
                    .count();
                let running = slices
                    .iter()
                    .filter(|slice| within(slice.start_ns, slice.end_ns))
                    .count();
                prop_assert_eq!(running, present.min(cpus));
            }
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(
            jobs in jobs(24, 1_000_000, 100_000),
            cpus in 1usize..4,
        ) {
            let mut mean: Vec<_> = finishes(&run(&jobs, cpus).0);
            let reversed: Vec<_> = jobs.iter().rev().copied().collect();
            let mut other: Vec<_> = finishes(&run(&reversed, cpus).0);
            mean.sort_unstable();
            other.sort_unstable();
            prop_assert_eq!(mean, other);
        }

        #[test]
        fn any_numbers_are_survived(
            raw in prop::collection::vec((any::<u64>(), any::<u64>()), 0..20),
            cpus: usize,
        ) {
            let jobs: Vec<_> = raw.iter().map(|&(arrival, cpu)| job(arrival, cpu)).collect();
            prop_assert_eq!(run(&jobs, cpus).0.len(), jobs.len());
        }
    }
}
