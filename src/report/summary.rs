// SPDX-License-Identifier: GPL-2.0-only
//! Outcomes summed up.

use serde::{Deserialize, Serialize};

use super::{Outcome, table};

const NS_PER_MS: f64 = 1e6;

/// One figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    Mean,
    P50,
    P90,
    P99,
    Max,
}

impl Statistic {
    pub const ALL: [Self; 5] = [Self::Mean, Self::P50, Self::P90, Self::P99, Self::Max];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }
}

/// What is measured of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// In milliseconds.
    Response,
    Slowdown,
}

impl Quantity {
    pub const ALL: [Self; 2] = [Self::Response, Self::Slowdown];

    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Slowdown => "slowdown",
        }
    }

    /// A value of it, with its unit.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Response => table::time(value),
            Self::Slowdown => table::number(value),
        }
    }
}

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

    pub fn get(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Mean => self.mean,
            Statistic::P50 => self.p50,
            Statistic::P90 => self.p90,
            Statistic::P99 => self.p99,
            Statistic::Max => self.max,
        }
    }
}

/// What a set of outcomes comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub invocations: usize,
    pub response_ms: Distribution,
    /// Response over the response alone.
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

    pub fn get(&self, quantity: Quantity, statistic: Statistic) -> f64 {
        match quantity {
            Quantity::Response => self.response_ms.get(statistic),
            Quantity::Slowdown => self.slowdown.get(statistic),
        }
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
    fn outcomes_are_summed_up() {
        let outcome = |response_ms: u64| Outcome {
            function: 0,
            arrival_ns: 5,
            first_run_ns: 5,
            end_ns: 5 + response_ms * 1_000_000,
            cpu_requested_ns: 1_000_000,
            cpu_used_ns: 1_000_000,
            pause_ns: 0,
            switches: response_ms,
        };
        let all = Summary::of(&[outcome(2), outcome(6), outcome(4)]).unwrap();
        assert_eq!((all.invocations, all.switches), (3, 4.0));
        assert_eq!(all.get(Quantity::Response, Statistic::Mean), 4.0);
        assert_eq!(all.get(Quantity::Slowdown, Statistic::Max), 6.0);
        assert_eq!(Summary::of(&[]), None);
    }
}
