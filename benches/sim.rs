// SPDX-License-Identifier: GPL-2.0-only
//! What simulating costs, and a round of learning, whose dearest part it is.
//!
//! To be reached: 1,000,000 invocations on 24 CPUs under SRPT in 2 s, and a
//! round over 100,000 invocations of 1,000 functions on 64 CPUs in 50 ms.

#[path = "common/load.rs"]
mod load;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use scx_alps::learn::{Avg, BiasFactor, Learner, LearnerConfig};
use scx_alps::sim::alps::Enforcement;
use scx_alps::sim::share::Weights;
use scx_alps::sim::{Machine, Policy, Setup, Tables, simulate, srpt};

fn simulations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulate on 24 CPUs");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(5));
    let jobs = load::jobs(1_000_000, 1000, 24);
    group.bench_function("1,000,000 invocations, srpt", |bench| {
        bench.iter(|| srpt::replay(black_box(&jobs), 24, |_| {}));
    });
    let setup = Setup {
        machine: Machine::ideal(24),
        quantum_ns: 3_000_000,
        weights: Weights::default(),
        enforcement: Enforcement::default(),
        bias_factor: BiasFactor::default(),
    };
    for policy in Policy::ALL {
        let name = format!("100,000 invocations, {}", policy.name());
        group.bench_function(&name, |bench| {
            bench.iter(|| {
                let config = LearnerConfig {
                    cpus: 24,
                    ..LearnerConfig::default()
                };
                let learner = Learner::new(config, Box::new(Avg));
                let mut tables = Tables::learned(learner, 1_000_000_000);
                simulate(
                    policy,
                    black_box(&jobs[..100_000]),
                    &setup,
                    &mut tables,
                    |_| {},
                )
            });
        });
    }
    group.finish();
}

/// The most a round can take: every invocation is new, and all are replayed.
fn rounds(criterion: &mut Criterion) {
    const COUNT: usize = 100_000;
    let jobs = load::jobs(COUNT, 1000, 64);
    let now_ns = jobs.last().map_or(0, |job| job.arrival_ns);
    let learner = || {
        let mut learner = load::learner(COUNT, 64);
        load::observe(&mut learner, &jobs);
        learner
    };
    let mut group = criterion.benchmark_group("a round on 64 CPUs");
    group.sample_size(20);
    group.bench_function("100,000 invocations of 1,000 functions", |bench| {
        bench.iter_batched(
            learner,
            |mut learner| {
                black_box(learner.round(now_ns, 90.0));
                learner
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, simulations, rounds);
criterion_main!(benches);
