// SPDX-License-Identifier: GPL-2.0-only
//! The `gittins` predictor: order by the best rate of completions ahead.

use std::fmt;

use super::distribution::{Distribution, width_ns};
use super::moments::Moments;
use super::predictor::Predictor;
use crate::policy::grid::{BUCKETS, FIRST_SHIFT, start};

/// The Gittins index of a function's own sample.
///
/// An invocation that has had `a` can be served for `d` longer and be looked
/// at again. The best rate at which that completes anything,
///
/// ```text
/// G(a) = sup over d of (F(a + d) - F(a)) / integral from a to a + d of (1 - F(t)) dt
/// ```
///
/// is the order that minimises the mean response of an M/G/1 queue when only
/// the distribution `F` of the CPU times is known (Gittins, Glazebrook and
/// Weber, *Multi-armed Bandit Allocation Indices*, 2011; for several CPUs
/// Scully, Grosof and Harchol-Balter, "The Gittins policy is nearly optimal in
/// the M/G/k under extremely general conditions", POMACS 2020). The forecast
/// is `1 / G(a)`, a time: where the best is to serve to the end, it is the
/// mean residual life itself.
///
/// With `H(t)` the integral of the survival function up to `t`, `G(a)` is the
/// steepest slope from `(H(a), F(a))` to any later point. The points looked
/// at are the ends of the buckets, since the bias changes nowhere else, and
/// the point looked from is the mean over the time spent in the bucket, as
/// for the [mean residual life](super::residual). From right to left, a stack
/// holds the upper hull of the points passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gittins {
    pub objective: Objective,
}

/// What the order is to keep small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// Mean response: every completion counts the same.
    #[default]
    Response,
    /// Mean slowdown: a completion counts the inverse of its CPU time. The
    /// index is then a product of two times, and the forecast its root.
    Slowdown,
}

impl Objective {
    pub const ALL: [Self; 2] = [Self::Response, Self::Slowdown];

    /// What users choose it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Slowdown => "slowdown",
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Predictor for Gittins {
    fn name(&self) -> &'static str {
        "gittins"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        Moments::of(series_ns).map(|moments| moments.mean_ns)
    }

    fn remaining_ns(&self, sample: &Distribution) -> [f64; BUCKETS] {
        let cost = costs(sample, self.objective);
        match self.objective {
            Objective::Response => cost,
            Objective::Slowdown => cost.map(f64::sqrt),
        }
    }
}

/// A point of service spent and reward earned, counted back from the end of
/// everything, so that both are negative.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    service_ns: f64,
    reward: f64,
}

impl Point {
    /// Service for each unit of reward on the way to a later point; infinite
    /// where there is no reward.
    fn cost_to(self, later: Point) -> f64 {
        let reward = later.reward - self.reward;
        if reward > 0.0 {
            (later.service_ns - self.service_ns) / reward
        } else {
            f64::INFINITY
        }
    }
}

/// `1 / G` for every bucket; 0 where the sample never was, which is most of the
/// grid for a short function.
fn costs(sample: &Distribution, objective: Objective) -> [f64; BUCKETS] {
    let mut costs = [0.0; BUCKETS];
    // The upper hull of the ends of all buckets passed, the leftmost on top.
    let mut hull = [Point::default(); BUCKETS];
    let mut height = 1;
    let mut end = Point::default();
    let mut weight_above = 0.0;
    let mut reward_above = 0.0;
    let reached = &sample.buckets()[..sample.reached()];
    for (index, bucket) in reached.iter().enumerate().rev() {
        let own = if bucket.weight > 0.0 {
            reward_of(index, bucket.reach / bucket.weight, objective)
        } else {
            0.0
        };
        let reward = bucket.weight * own;
        // The open bucket is looked at from its start, others on average.
        let (service_ns, here) = match width_ns(index) {
            None => (
                bucket.reach,
                Point {
                    service_ns: -bucket.reach,
                    reward: -reward,
                },
            ),
            Some(width) => (
                bucket.reach + weight_above * width,
                Point {
                    service_ns: end.service_ns
                        - (bucket.reach_squared / width + weight_above * width) / 2.0,
                    reward: end.reward - bucket.reach * own / width,
                },
            ),
        };
        costs[index] = least_cost(here, &hull[..height]);
        end = Point {
            service_ns: end.service_ns - service_ns,
            reward: end.reward - reward,
        };
        weight_above += bucket.weight;
        reward_above += reward;
        if reward_above > 0.0 {
            // A point below the line from the new one to the next is passed by.
            while height > 1 && end.cost_to(hull[height - 2]) <= end.cost_to(hull[height - 1]) {
                height -= 1;
            }
            if index > 0 {
                hull[height] = end;
                height += 1;
            }
        }
    }
    costs
}

/// The least cost from a point to any of a hull of later ones, whose costs
/// fall and then rise from the top of the stack on.
fn least_cost(here: Point, hull: &[Point]) -> f64 {
    let mut least = f64::INFINITY;
    for &later in hull.iter().rev() {
        let cost = here.cost_to(later);
        if cost > least {
            break;
        }
        least = cost;
    }
    if least.is_finite() { least } else { 0.0 }
}

/// What the completion of one value is worth that ends `reach_ns` into bucket
/// `index`. CPU times below the grid's resolution count as that.
fn reward_of(index: usize, reach_ns: f64, objective: Objective) -> f64 {
    match objective {
        Objective::Response => 1.0,
        Objective::Slowdown => {
            let size_ns = start(index) as f64 + reach_ns;
            1.0 / size_ns.max((1u64 << FIRST_SHIFT) as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Forecast;
    use crate::learn::residual::mean_residual_ns;
    use crate::policy::grid::bucket;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn index(series: &[u64], objective: Objective) -> [f64; BUCKETS] {
        Gittins { objective }.remaining_ns(&Distribution::of(series))
    }

    fn response(series: &[u64]) -> [f64; BUCKETS] {
        index(series, Objective::Response)
    }

    fn assert_near(actual: f64, expected: f64, tolerance: f64) {
        assert!(
            (actual - expected).abs() <= tolerance * expected.abs(),
            "{actual} is not near {expected}"
        );
    }

    /// By trying all moments to stop serving an invocation that has had
    /// `attained`: what it costs in service until one completes. Stopping
    /// between two values never pays.
    fn by_trying_all(values: &[u64], attained: f64, objective: Objective) -> f64 {
        let later = |value: &&u64| **value as f64 > attained;
        let cost = |&stop: &u64| {
            let mut service = 0.0;
            let mut reward = 0.0;
            for &value in values.iter().filter(later) {
                service += value.min(stop) as f64 - attained;
                if value <= stop {
                    reward += match objective {
                        Objective::Response => 1.0,
                        Objective::Slowdown => 1.0 / value as f64,
                    };
                }
            }
            service / reward
        };
        let stops = values.iter().filter(later);
        stops.map(cost).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_short_mode_is_worth_a_try_and_what_outlasts_it_is_not() {
        let mut series = vec![MS; 90];
        series.extend([100 * MS; 10]);
        let index = response(&series);
        assert!(index[0] < 1.3e6, "{}", index[0]);
        assert!(index[bucket(2 * MS)] > 90e6);
        assert!(index[bucket(60 * MS)] < 50e6);
    }

    #[test]
    fn with_a_rising_hazard_rate_it_is_the_mean_residual_life() {
        let uniform: Vec<u64> = (1..=200_000).map(|step| step * MS / 2000).collect();
        for series in [uniform, vec![10 * MS; 50]] {
            let sample = Distribution::of(&series);
            let expected = mean_residual_ns(&sample);
            for (actual, expected) in response(&series).iter().zip(expected) {
                assert_near(*actual, expected, 1e-9);
            }
        }
    }

    #[test]
    fn with_a_falling_hazard_rate_it_is_the_order_of_attained_service() {
        let quantiles = || (0..200_000).map(|step| (f64::from(step) + 0.5) / 2e5);
        let pareto = quantiles().map(|u| (1e6 * ((1.0 - u).powf(-0.8) - 1.0)) as u64);
        let hyperexponential = quantiles().flat_map(|u| {
            let exponential = -(1.0 - u).ln();
            [1e6, 1e6, 1e6, 100e6].map(|mean| (mean * exponential) as u64)
        });
        for series in [pareto.collect::<Vec<_>>(), hyperexponential.collect()] {
            for objective in [Objective::Response, Objective::Slowdown] {
                let index = index(&series, objective);
                // The largest values of a sample end it, whatever they are drawn from.
                let sampled = bucket(300 * MS);
                for pair in index[..sampled].windows(2) {
                    assert!(pair[0] <= pair[1] * 1.001, "{objective}: {index:?}");
                }
            }
        }
    }

    #[test]
    fn for_slowdown_it_is_the_root_of_size_times_remainder() {
        let index = index(&[10 * MS; 9], Objective::Slowdown);
        for attained in [0, MS, 4 * MS] {
            let place = bucket(attained);
            let left = 10e6 - (start(place) + start(place + 1)) as f64 / 2.0;
            assert_near(index[place], (10e6 * left).sqrt(), 1e-9);
        }
    }

    #[test]
    fn for_slowdown_a_short_mode_is_worth_more_than_for_response() {
        let mut series = vec![MS; 20];
        series.extend([100 * MS; 80]);
        let (slowdown, response) = (index(&series, Objective::Slowdown), response(&series));
        assert!(slowdown[0] < response[0], "{} {}", slowdown[0], response[0]);
    }

    #[test]
    fn the_open_bucket_counts_from_its_start() {
        let last = start(BUCKETS - 1);
        assert_eq!(response(&[last + 10, last + 30])[BUCKETS - 1], 20.0);
    }

    #[test]
    fn without_a_sample_the_prior_stands() {
        let prior = Forecast::unknown();
        let forecast = Gittins::default().forecast(&Distribution::empty(), &prior);
        assert_eq!(forecast, prior);
    }

    proptest! {
        #[test]
        fn it_is_what_trying_all_moments_finds(
            places in prop::collection::btree_map(2usize..40, 1usize..9, 1..8),
            slowdown: bool,
        ) {
            let objective = if slowdown { Objective::Slowdown } else { Objective::Response };
            // On the grid: every value fills its bucket, so it is left at its middle on average.
            let values: Vec<u64> = places
                .iter()
                .flat_map(|(&place, &count)| std::iter::repeat_n(start(place) - 1, count))
                .collect();
            let index = index(&values, objective);
            let last = bucket(*values.last().unwrap());
            for (place, &actual) in index.iter().enumerate().take(last + 1) {
                let middle = (start(place) + start(place + 1)) as f64 / 2.0;
                let least = by_trying_all(&values, middle, objective);
                let expected = match objective {
                    Objective::Response => least,
                    Objective::Slowdown => least.sqrt(),
                };
                assert_near(actual, expected, 1e-3);
            }
        }

        #[test]
        fn stopping_early_never_costs_more_than_going_on(
            series in prop::collection::vec(0u64..1 << 40, 0..60),
        ) {
            let residual = mean_residual_ns(&Distribution::of(&series));
            for (index, residual) in response(&series).iter().zip(residual) {
                prop_assert!(*index <= residual * (1.0 + 1e-9) + 1e-9);
            }
        }

        #[test]
        fn it_is_defined_everywhere(
            series in prop::collection::vec(any::<u64>(), 0..300),
            slowdown: bool,
        ) {
            let objective = if slowdown { Objective::Slowdown } else { Objective::Response };
            let index = index(&series, objective);
            prop_assert!(index.iter().all(|cost| cost.is_finite() && *cost >= 0.0));
        }
    }
}
