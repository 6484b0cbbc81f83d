// SPDX-License-Identifier: GPL-2.0-only
//! What predicting costs, for a full policy table.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use scx_alps::invocation::{FunctionId, Invocation};
use scx_alps::learn::{Forecast, History, Learner, LearnerConfig, Method, Objective};

/// A full history each for as many functions as there are slots: log-uniform
/// CPU times over two decades, around a middle that differs from function to
/// function.
fn histories() -> Vec<Vec<u64>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    (0..FunctionId::CAPACITY)
        .map(|_| {
            let middle: f64 = random.random_range(5.0..9.0);
            (0..History::CAPACITY)
                .map(|_| 10f64.powf(middle + random.random_range(-1.0..1.0)) as u64)
                .collect()
        })
        .collect()
}

/// 4,096 functions of 256 samples: the sample of each and its curve.
fn curves(criterion: &mut Criterion) {
    let histories = histories();
    let prior = Forecast::unknown();
    for method in [Method::Gittins, Method::Avg, Method::Ewma, Method::Lr] {
        for objective in Objective::ALL {
            if method != Method::Gittins && objective != Objective::Response {
                continue;
            }
            let predictor = method.predictor(objective);
            let name = format!("curves of 4096 functions x 256 samples, {method} for {objective}");
            criterion.bench_function(&name, |bench| {
                bench.iter(|| {
                    for history in &histories {
                        let next_ns = predictor.next_ns(history);
                        let sample = predictor.distribution(history, next_ns);
                        black_box(predictor.forecast(&sample, &prior));
                    }
                });
            });
        }
    }
}

/// One function of 256 samples: its next value.
fn next(criterion: &mut Criterion) {
    let history = histories().swap_remove(0);
    for method in Method::ALL {
        let predictor = method.predictor(Objective::Response);
        criterion.bench_function(&format!("next of 256 samples, {method}"), |bench| {
            bench.iter(|| black_box(predictor.next_ns(&history)));
        });
    }
}

/// What the daemon does in a second: 1,000 invocations of 1,000 functions
/// observed, and a round.
fn second(criterion: &mut Criterion) {
    for method in Method::ALL {
        let predictor = method.predictor(Objective::Response);
        let config = LearnerConfig {
            cpus: 16,
            ..LearnerConfig::default()
        };
        let mut learner = Learner::new(config, predictor);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut now_ns = 0;
        let mut second = || {
            now_ns += 1_000_000_000;
            for index in 0..1000 {
                let slot = random.random_range(1..=1000);
                let spread: f64 = random.random_range(0.5..2.0);
                let cpu_ns = (1e5 * f64::from(slot % 100 + 1) * spread) as u64;
                let end_ns = now_ns - 1_000_000 * index;
                learner.observe(&Invocation {
                    function: FunctionId::new(slot).unwrap_or(FunctionId::PRIOR),
                    arrival_ns: end_ns - cpu_ns,
                    first_run_ns: end_ns - cpu_ns,
                    end_ns,
                    cpu_ns,
                    switches: 1,
                });
            }
            black_box(learner.round(now_ns, 60.0));
        };
        (0..120).for_each(|_| second());
        criterion.bench_function(&format!("a second of 1000 functions, {method}"), |bench| {
            bench.iter(&mut second);
        });
    }
}

criterion_group!(benches, curves, next, second);
criterion_main!(benches);
