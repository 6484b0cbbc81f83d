// SPDX-License-Identifier: GPL-2.0-only
//! Clairvoyant preemptive SRPT: at every moment the jobs with the least
//! remaining CPU time run, one on each CPU.
//!
//! On one CPU no schedule has a lower mean response (Schrage, 1968); on
//! several it is the usual yardstick. Among equal remaining times the earlier
//! arrival goes first, then the earlier in the input. Preemption and
//! migration cost nothing.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::job::{Job, Outcome, Slice};

/// Replays `jobs`, in any order, under SRPT on `cpus` CPUs (0 counts as 1).
///
/// The outcomes come in the order of the input. `on_slice` sees every slice,
/// in the order of their ends. A job without CPU time finishes as it arrives,
/// without a slice. There are at most `2n` slices, and the cost is
/// `O(n log n)` with, for each slice, one shift within an array of the running jobs.
///
/// Simulated time ends at `u64::MAX`: a job that would need longer is cut off
/// there.
pub fn replay(jobs: &[Job], cpus: usize, on_slice: impl FnMut(Slice)) -> Vec<Outcome> {
    let mut machine = Machine::new(jobs, cpus.max(1), on_slice);
    while let Some(now_ns) = machine.next_event_ns() {
        machine.complete(now_ns);
        machine.fill(now_ns);
        machine.admit(now_ns);
    }
    machine.outcomes
}

/// A job's place in the order of arrivals.
type Order = usize;

/// Stands in an outcome for what has not happened yet.
const NOT_YET: u64 = u64::MAX;

struct Machine<'a, V> {
    jobs: &'a [Job],
    cpus: usize,
    on_slice: V,
    /// Arrival and index of every job, in the order of arrivals.
    arrivals: Vec<(u64, usize)>,
    admitted: usize,
    /// Remaining time of the jobs without a CPU, least first.
    waiting: BinaryHeap<Reverse<(u64, Order)>>,
    /// Finish of the jobs with a CPU, latest first. They all run at the same
    /// speed, so this is the order of their remaining times too, and it does
    /// not age.
    running: VecDeque<(u64, Order)>,
    /// Where the current slice of a running job began.
    slice_start_ns: Vec<u64>,
    outcomes: Vec<Outcome>,
}

impl<'a, V: FnMut(Slice)> Machine<'a, V> {
    fn new(jobs: &'a [Job], cpus: usize, on_slice: V) -> Self {
        let mut arrivals: Vec<_> = jobs
            .iter()
            .enumerate()
            .map(|(index, job)| (job.arrival_ns, index))
            .collect();
        arrivals.sort_unstable();
        let pending = Outcome {
            first_run_ns: NOT_YET,
            finish_ns: NOT_YET,
        };
        Self {
            jobs,
            cpus,
            on_slice,
            arrivals,
            admitted: 0,
            waiting: BinaryHeap::new(),
            running: VecDeque::new(),
            slice_start_ns: vec![0; jobs.len()],
            outcomes: vec![pending; jobs.len()],
        }
    }

    /// The next arrival or completion; `None` when all is done, since no job
    /// waits while a CPU is free.
    fn next_event_ns(&self) -> Option<u64> {
        let arrival = self.arrivals.get(self.admitted).map(|&(at, _)| at);
        let finish = self.running.back().map(|&(at, _)| at);
        match (arrival, finish) {
            (Some(arrival), Some(finish)) => Some(arrival.min(finish)),
            (arrival, finish) => arrival.or(finish),
        }
    }

    fn complete(&mut self, now_ns: u64) {
        while let Some(&(finish_ns, order)) = self.running.back() {
            if finish_ns > now_ns {
                break;
            }
            self.running.pop_back();
            self.end_slice(order, finish_ns);
            let (_, index) = self.arrivals[order];
            self.outcomes[index].finish_ns = finish_ns;
        }
    }

    /// Gives the free CPUs to the shortest waiting jobs.
    fn fill(&mut self, now_ns: u64) {
        while self.running.len() < self.cpus {
            let Some(Reverse((remaining_ns, order))) = self.waiting.pop() else {
                break;
            };
            self.start_slice(order, remaining_ns, now_ns);
        }
    }

    fn admit(&mut self, now_ns: u64) {
        while let Some(&(arrival_ns, index)) = self.arrivals.get(self.admitted) {
            if arrival_ns > now_ns {
                break;
            }
            let order = self.admitted;
            self.admitted += 1;
            match self.jobs[index].cpu_ns {
                0 => {
                    self.outcomes[index] = Outcome {
                        first_run_ns: arrival_ns,
                        finish_ns: arrival_ns,
                    }
                }
                cpu_ns => self.place(order, cpu_ns, now_ns),
            }
        }
    }

    /// Finds an arriving job a free CPU, or one whose job has more left to
    /// do, or lets it wait.
    fn place(&mut self, order: Order, cpu_ns: u64, now_ns: u64) {
        if self.running.len() < self.cpus {
            self.start_slice(order, cpu_ns, now_ns);
            return;
        }
        match self.running.front() {
            Some(&(finish_ns, longest)) if finish_ns - now_ns > cpu_ns => {
                self.running.pop_front();
                self.end_slice(longest, now_ns);
                self.waiting.push(Reverse((finish_ns - now_ns, longest)));
                self.start_slice(order, cpu_ns, now_ns);
            }
            _ => self.waiting.push(Reverse((cpu_ns, order))),
        }
    }

    fn start_slice(&mut self, order: Order, remaining_ns: u64, now_ns: u64) {
        self.slice_start_ns[order] = now_ns;
        let key = (now_ns.saturating_add(remaining_ns), order);
        let place = self.running.partition_point(|&other| other > key);
        self.running.insert(place, key);
    }

    /// Ends a slice that is none if another arrival of the same moment took
    /// the CPU away again.
    fn end_slice(&mut self, order: Order, now_ns: u64) {
        let start_ns = self.slice_start_ns[order];
        if start_ns >= now_ns {
            return;
        }
        let (_, index) = self.arrivals[order];
        let first_run_ns = &mut self.outcomes[index].first_run_ns;
        *first_run_ns = start_ns.min(*first_run_ns);
        (self.on_slice)(Slice {
            job: index,
            function: self.jobs[index].function,
            start_ns,
            end_ns: now_ns,
        });
    }
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
                0 => Outcome {
                    first_run_ns: job.arrival_ns,
                    finish_ns: job.arrival_ns,
                },
                _ => Outcome {
                    first_run_ns: NOT_YET,
                    finish_ns: NOT_YET,
                },
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
            prop_assert_eq!(run(&jobs, cpus).0, by_ticks(&jobs, cpus));
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
