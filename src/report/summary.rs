// SPDX-License-Identifier: GPL-2.0-only
//! Outcomes summed up.

use serde::{Deserialize, Serialize};

use super::Outcome;

const NS_PER_MS: f64 = 1e6;

/// A sample's mean, percentiles (nearest rank) and maximum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Distribution {
    /// `None` for an empty sample.
    pub fn of(mut sample: Vec<f64>) -> Option<Self> {
        sample.sort_by(f64::total_cmp);
        let max = *sample.last()?;
        let count = sample.len();
        let percentile = |percent: usize| sample[(count * percent).div_ceil(100).max(1) - 1];
        Some(Self {
            mean: sample.iter().sum::<f64>() / count as f64,
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
        })
    }
}

/// What a set of outcomes comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub invocations: usize,
    pub response_ms: Distribution,
    /// Response over the CPU time asked for.
    pub slowdown: Distribution,
    /// Mean count of being switched out.
    pub switches: f64,
}

impl Summary {
    /// `None` where there is no outcome.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Option<Self> {
        let outcomes: Vec<&Outcome> = outcomes.into_iter().collect();
        let sample = |value: fn(&Outcome) -> f64| outcomes.iter().map(|o| value(o)).collect();
        Some(Self {
            invocations: outcomes.len(),
            response_ms: Distribution::of(sample(|o| o.response_ns() as f64 / NS_PER_MS))?,
            slowdown: Distribution::of(sample(Outcome::slowdown))?,
            switches: Distribution::of(sample(|o| o.switches as f64))?.mean,
        })
    }

    /// One function's outcomes only.
    pub fn of_function(outcomes: &[Outcome], function: u32) -> Option<Self> {
        Self::of(outcomes.iter().filter(|o| o.function == function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let d = Distribution::of((1..=200).rev().map(f64::from).collect()).unwrap();
        assert_eq!(
            (d.mean, d.p50, d.p90, d.p99, d.max),
            (100.5, 100.0, 180.0, 198.0, 200.0)
        );
        let one = Distribution::of(vec![3.0]).unwrap();
        assert_eq!((one.p50, one.p99, one.max), (3.0, 3.0, 3.0));
        assert_eq!(Distribution::of(vec![]), None);
    }

    #[test]
    fn functions_are_told_apart() {
        let outcome = |function, response_ms: u64| Outcome {
            function,
            arrival_ns: 5,
            first_run_ns: 5,
            end_ns: 5 + response_ms * 1_000_000,
            cpu_requested_ns: 1_000_000,
            cpu_used_ns: 1_000_000,
            switches: response_ms,
        };
        let outcomes = [outcome(0, 2), outcome(1, 6), outcome(0, 4)];
        let all = Summary::of(&outcomes).unwrap();
        assert_eq!(
            (all.invocations, all.response_ms.mean, all.slowdown.max),
            (3, 4.0, 6.0)
        );
        let first = Summary::of_function(&outcomes, 0).unwrap();
        assert_eq!(
            (first.invocations, first.slowdown.mean, first.switches),
            (2, 3.0, 3.0)
        );
        assert_eq!(Summary::of_function(&outcomes, 2), None);
    }
}
