// SPDX-License-Identifier: GPL-2.0-only
//! A thousand functions at a thousand requests a second: a trace for what
//! watching and learning themselves cost.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::super::{Request, Trace};

const FUNCTIONS: u32 = 1000;

/// Each request asks for this much CPU time, from and below: hardly any.
const CPU_US: std::ops::Range<u64> = 50..150;

/// Every function is asked for once a second, at a time of its own.
pub fn thousand(seed: u64, duration: Duration) -> Trace {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut requests: Vec<Request> = (0..duration.as_secs())
        .flat_map(|second| (0..FUNCTIONS).map(move |function| (second, function)))
        .map(|(second, function)| Request {
            arrival_ns: second * 1_000_000_000 + rng.random_range(0..1_000_000) * 1000,
            function,
            cpu_ns: rng.random_range(CPU_US) * 1000,
        })
        .collect();
    requests.sort_by_key(|request| request.arrival_ns);
    Trace {
        functions: (0..FUNCTIONS).map(|index| format!("f{index:04}")).collect(),
        requests,
        duration_ns: duration.as_secs() * 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_asked_for_once_a_second() {
        let trace = thousand(1, Duration::from_secs(3));
        assert_eq!(trace.requests.len(), 3000);
        assert!(
            trace
                .requests
                .is_sorted_by_key(|request| request.arrival_ns)
        );
        assert!(trace.load(2) < 0.1);
        assert_eq!(trace, thousand(1, Duration::from_secs(3)));
    }
}
