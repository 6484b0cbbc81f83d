// SPDX-License-Identifier: GPL-2.0-only
//! What holds for every policy.

use proptest::prelude::*;

use super::alps::Enforcement;
use super::policy::{Policy, Setup, simulate};
use super::share::Weights;
use super::test::{job, jobs};
use super::{Job, Machine, Outcome, Slice, Tables};
use crate::invocation::FunctionId;
use crate::learn::{Avg, BiasFactor, Learner, LearnerConfig};
use crate::policy::{BUCKETS, PolicyEntry, PolicyTable};

/// A unit of time that takes short jobs over several buckets.
const UNIT_NS: u64 = 20_000;

fn setup(cpus: usize, switch_cost_ns: u64) -> Setup {
    Setup {
        machine: Machine {
            cpus,
            switch_cost_ns,
        },
        quantum_ns: 3 * UNIT_NS,
        weights: Weights::default(),
        enforcement: Enforcement {
            preempt_margin_ns: UNIT_NS / 2,
            default_slice_ns: 2 * UNIT_NS,
            max_bias_ns: 30 * UNIT_NS,
        },
        bias_factor: BiasFactor::default(),
    }
}

fn in_units(jobs: Vec<Job>) -> Vec<Job> {
    let scaled = |job: &Job| Job {
        arrival_ns: job.arrival_ns * UNIT_NS,
        cpu_ns: job.cpu_ns * UNIT_NS,
        ..*job
    };
    jobs.iter().map(scaled).collect()
}

fn policies() -> impl Strategy<Value = Policy> {
    let all: Vec<_> = Policy::ALL.into_iter().chain(Policy::asked()).collect();
    prop::sample::select(all)
}

/// A table of four functions, or a learner.
fn tables() -> impl Strategy<Value = Option<PolicyTable>> {
    let entry = (
        prop::collection::vec(0..50 * UNIT_NS, BUCKETS),
        0..5 * UNIT_NS,
        0u32..4,
    );
    let entry = entry.prop_map(|(bias_ns, slice_ns, rank)| PolicyEntry {
        bias_ns: bias_ns.try_into().unwrap(),
        slice_ns,
        rank,
        samples: 1,
        predicted_ns: 0,
    });
    prop::option::of(prop::collection::vec(entry, 0..5).prop_map(PolicyTable::new))
}

fn run(
    policy: Policy,
    jobs: &[Job],
    setup: &Setup,
    table: Option<&PolicyTable>,
) -> (Vec<Outcome>, Vec<Slice>) {
    let mut tables = match table {
        Some(table) => Tables::fixed(table.clone()),
        None => {
            let learner = Learner::new(LearnerConfig::default(), Box::new(Avg));
            Tables::learned(learner, 40 * UNIT_NS)
        }
    };
    let mut slices = Vec::new();
    let outcomes = simulate(policy, jobs, setup, &mut tables, |slice| slices.push(slice));
    (outcomes, slices)
}

fn shortened(jobs: &[Job]) -> Vec<Job> {
    let shortened = |job: &Job| Job {
        cpu_ns: job.cpu_ns % 1_000_000_000,
        ..*job
    };
    jobs.iter().map(shortened).collect()
}

/// The moments between which nothing begins or ends, by their middles doubled.
fn middles(times: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.dedup();
    times.windows(2).map(|pair| pair[0] + pair[1]).collect()
}

fn count(spans: impl Iterator<Item = (u64, u64)>, middle: u64) -> usize {
    spans
        .filter(|&(from, to)| 2 * from < middle && middle < 2 * to)
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_invocation_is_lost(
        policy in policies(),
        jobs in jobs(40, 60, 20).prop_map(in_units),
        cpus in 1usize..6,
        cost in 0..UNIT_NS,
        table in tables(),
    ) {
        let (outcomes, slices) = run(policy, &jobs, &setup(cpus, cost), table.as_ref());
        prop_assert_eq!(outcomes.len(), jobs.len());
        for (index, (job, outcome)) in jobs.iter().zip(&outcomes).enumerate() {
            prop_assert!(job.arrival_ns <= outcome.first_run_ns);
            prop_assert!(outcome.first_run_ns + job.cpu_ns <= outcome.finish_ns);
            if policy.shares() {
                continue;
            }
            let own: Vec<_> = slices.iter().filter(|slice| slice.job == index).collect();
            prop_assert_eq!(own.len(), outcome.switches as usize);
            prop_assert!(own.windows(2).all(|pair| pair[0].end_ns < pair[1].start_ns));
            if let (Some(first), Some(last)) = (own.first(), own.last()) {
                prop_assert_eq!(first.start_ns, outcome.first_run_ns);
                prop_assert_eq!(last.end_ns, outcome.finish_ns);
            }
            let served: u64 = own.iter().map(|slice| slice.length_ns()).sum();
            if cost == 0 {
                prop_assert_eq!(served, job.cpu_ns);
            } else {
                let most = job.cpu_ns + own.len() as u64 * cost;
                prop_assert!(job.cpu_ns <= served && served <= most);
            }
        }
    }

    #[test]
    fn every_policy_that_switches_keeps_cpus_busy(
        policy in policies().prop_filter("sharing has no slices", |policy| !policy.shares()),
        jobs in jobs(20, 60, 12).prop_map(in_units),
        cpus in 1usize..6,
        cost in 0..UNIT_NS,
        table in tables(),
    ) {
        let (outcomes, slices) = run(policy, &jobs, &setup(cpus, cost), table.as_ref());
        let present = || {
            let pairs = jobs.iter().zip(&outcomes);
            pairs.map(|(job, outcome)| (job.arrival_ns, outcome.finish_ns))
        };
        let running = || slices.iter().map(|slice| (slice.start_ns, slice.end_ns));
        let times = present().chain(running()).flat_map(|(from, to)| [from, to]);
        for middle in middles(times) {
            prop_assert_eq!(count(running(), middle), count(present(), middle).min(cpus));
        }
    }

    /// Everybody present is served, and nobody by more than one CPU: what was
    /// served altogether is the time that there was, by as many CPUs as had
    /// somebody to serve.
    #[test]
    fn policies_that_share_keep_cpus_busy(
        policy in policies().prop_filter("others have slices", |policy| policy.shares()),
        jobs in jobs(30, 60, 20).prop_map(in_units),
        cpus in 1usize..6,
        weights in prop::collection::vec(1u32..10_000, 5),
    ) {
        let setup = Setup { weights: Weights::new(weights), ..setup(cpus, 0) };
        let (outcomes, _) = run(policy, &jobs, &setup, None);
        let pairs = jobs.iter().zip(&outcomes);
        let spans: Vec<_> = pairs.map(|(job, outcome)| (job.arrival_ns, outcome.finish_ns)).collect();
        let mut times: Vec<u64> = spans.iter().flat_map(|&(from, to)| [from, to]).collect();
        times.sort_unstable();
        times.dedup();
        let served = |pair: &[u64]| {
            let present = count(spans.iter().copied(), pair[0] + pair[1]);
            (pair[1] - pair[0]) * present.min(cpus) as u64
        };
        let served: u64 = times.windows(2).map(served).sum();
        let asked: u64 = jobs.iter().map(|job| job.cpu_ns).sum();
        // Ends are rounded to a nanosecond.
        prop_assert!(served.abs_diff(asked) <= (jobs.len() * cpus) as u64, "{} of {}", served, asked);
    }

    #[test]
    fn on_one_cpu_all_policies_are_busy_at_the_same_times(
        policy in policies(),
        jobs in jobs(40, 200, 12).prop_map(in_units),
        table in tables(),
    ) {
        let ends_of_busy_periods = |policy| {
            let (outcomes, _) = run(policy, &jobs, &setup(1, 0), table.as_ref());
            let times = jobs.iter().zip(&outcomes);
            let mut spans: Vec<_> = times.map(|(job, o)| (job.arrival_ns, o.finish_ns)).collect();
            spans.sort_unstable();
            let mut ends: Vec<u64> = Vec::new();
            for (from, to) in spans {
                match ends.last_mut() {
                    Some(end) if from <= *end + 1 => *end = to.max(*end),
                    _ => ends.push(to),
                }
            }
            ends
        };
        let (some, fifo) = (ends_of_busy_periods(policy), ends_of_busy_periods(Policy::Fifo));
        prop_assert_eq!(some.len(), fifo.len());
        for (one, two) in some.iter().zip(&fifo) {
            prop_assert!(one.abs_diff(*two) <= 1);
        }
    }

    #[test]
    fn on_one_cpu_no_policy_has_a_lower_mean_response_than_srpt(
        policy in policies(),
        jobs in jobs(40, 100, 12).prop_map(in_units),
        table in tables(),
    ) {
        let total = |policy| -> u64 {
            let (outcomes, _) = run(policy, &jobs, &setup(1, 0), table.as_ref());
            outcomes.iter().map(|outcome| outcome.finish_ns).sum()
        };
        prop_assert!(total(Policy::Srpt) <= total(policy) + jobs.len() as u64);
    }

    #[test]
    fn the_same_input_gives_the_same_output(
        policy in policies(),
        jobs in jobs(40, 60, 20).prop_map(in_units),
        cpus in 1usize..6,
        table in tables(),
    ) {
        let run = || run(policy, &jobs, &setup(cpus, 100), table.as_ref());
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn any_numbers_are_survived(
        policy in policies(),
        raw in prop::collection::vec((0u32..4096, any::<u64>(), any::<u64>()), 0..20),
        cpus: usize,
        numbers: [u64; 5],
        table in tables(),
    ) {
        let jobs: Vec<_> = raw
            .iter()
            .map(|&(slot, arrival_ns, cpu_ns)| Job {
                function: FunctionId::new(slot).unwrap(),
                ..job(arrival_ns, cpu_ns)
            })
            .collect();
        let setup = Setup {
            machine: Machine { cpus, switch_cost_ns: numbers[0] },
            // Long, for the same reason as below.
            quantum_ns: numbers[1] | 1 << 60,
            weights: Weights::new(vec![numbers[2] as u32; 3]),
            enforcement: Enforcement {
                preempt_margin_ns: numbers[3],
                default_slice_ns: numbers[4] | 1 << 60,
                max_bias_ns: numbers[2],
            },
            bias_factor: BiasFactor::default(),
        };
        // Turns of 3 ms in 584 years would take as long to simulate.
        let takes_turns = matches!(
            policy,
            Policy::Sfs | Policy::Published | Policy::Alps | Policy::Asked(_)
        );
        let jobs = if takes_turns { shortened(&jobs) } else { jobs };
        prop_assert_eq!(run(policy, &jobs, &setup, table.as_ref()).0.len(), jobs.len());
    }
}
