// SPDX-License-Identifier: GPL-2.0-only
//! A load for the benchmarks: Poisson arrivals at 0.9 of the machine, of
//! functions whose mean CPU times spread from 1 ms to 1 s.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};
use scx_alps::invocation::{FunctionId, Invocation};
use scx_alps::learn::{Learner, LearnerConfig, Method, Objective};
use scx_alps::sim::Job;

const LOAD: f64 = 0.9;

/// So many jobs of so many functions for so many CPUs, in the order of arrivals.
pub fn jobs(count: usize, functions: u32, cpus: usize) -> Vec<Job> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mean_ms = |function: u32| 10f64.powf(3.0 * f64::from(function) / f64::from(functions));
    let all = (0..functions).map(mean_ms).sum::<f64>() / f64::from(functions);
    let gap_ns = all * 1e6 / (LOAD * cpus as f64);
    let mut now_ns = 0.0;
    let mut job = || {
        let function = rng.random_range(0..functions);
        let (gap, size): (f64, f64) = (Exp1.sample(&mut rng), Exp1.sample(&mut rng));
        now_ns += gap * gap_ns;
        Job {
            function: FunctionId::new(function + 1).unwrap_or(FunctionId::PRIOR),
            arrival_ns: now_ns as u64,
            cpu_ns: (size * mean_ms(function) * 1e6) as u64 + 1,
        }
    };
    (0..count).map(|_| job()).collect()
}

/// A learner for a machine of `cpus` CPUs that replays all of `capacity` invocations.
pub fn learner(capacity: usize, cpus: usize) -> Learner {
    let config = LearnerConfig {
        cpus,
        window_capacity: capacity,
        window_ns: u64::MAX,
        ..LearnerConfig::default()
    };
    Learner::new(config, Method::default().predictor(Objective::default()))
}

/// Have it observe each job, run alone.
pub fn observe(learner: &mut Learner, jobs: &[Job]) {
    for job in jobs {
        learner.observe(&Invocation {
            function: job.function,
            arrival_ns: job.arrival_ns,
            first_run_ns: job.arrival_ns,
            end_ns: job.arrival_ns.saturating_add(job.cpu_ns),
            cpu_ns: job.cpu_ns,
            switches: 1,
        });
    }
}
