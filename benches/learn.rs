// SPDX-License-Identifier: GPL-2.0-only
//! What predicting costs, for a full policy table.

#[path = "common/histories.rs"]
mod histories;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use scx_alps::invocation::{FunctionId, Invocation};
use scx_alps::learn::{Learner, LearnerConfig, Method, Objective};

/// 4,096 functions of 256 samples: the sample of each and its curve.
fn curves(criterion: &mut Criterion) {
    let histories = histories::full();
    for method in [Method::Gittins, Method::Avg, Method::Ewma, Method::Lr] {
        for objective in Objective::ALL {
            if method != Method::Gittins && objective != Objective::Response {
                continue;
            }
            let predictor = method.predictor(objective);
            let name = format!("curves of 4096 functions x 256 samples, {method} for {objective}");
            criterion.bench_function(&name, |bench| {
                bench.iter(|| histories::forecast(&*predictor, &histories));
            });
        }
    }
}

/// One function of 256 samples: its next value.
fn next(criterion: &mut Criterion) {
    let history = histories::full().swap_remove(0);
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
