// SPDX-License-Identifier: GPL-2.0-only
//! Histories of a full policy table, and their forecasts.

use std::hint::black_box;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use scx_alps::invocation::FunctionId;
use scx_alps::learn::{Forecast, History, Predictor};

/// A full history each for as many functions as there are slots: log-uniform
/// CPU times over two decades, around a middle that differs from function to
/// function.
pub fn full() -> Vec<Vec<u64>> {
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

/// The sample of each and its curve.
pub fn forecast(predictor: &dyn Predictor, histories: &[Vec<u64>]) {
    let prior = Forecast::unknown();
    for history in histories {
        let next_ns = predictor.next_ns(history);
        let sample = predictor.distribution(history, next_ns);
        black_box(predictor.forecast(&sample, &prior));
    }
}
