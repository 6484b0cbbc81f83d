// SPDX-License-Identifier: GPL-2.0-only
//! How much CPU time an invocation still needs, given what it has had.

use super::distribution::Distribution;
use crate::policy::grid::{BUCKETS, bucket, start};

/// The expected remaining CPU time, in nanoseconds, for every bucket of
/// attained service; never 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    remaining_ns: [u64; BUCKETS],
}

/// [`Forecast::unknown`] for every bucket.
const UNKNOWN_NS: [u64; BUCKETS] = {
    let mut half_ns = [1; BUCKETS];
    let mut index = 1;
    while index < BUCKETS {
        half_ns[index] = start(index) / 2;
        index += 1;
    }
    half_ns
};

impl Forecast {
    /// What is expected when nothing at all is known: as much again as half
    /// of what was attained.
    ///
    /// The residual life of a heavy-tailed function grows in proportion to
    /// its age, and so does that of a function nobody has a bound for. This
    /// is also the least that is forecast where a sample has run out: an
    /// invocation that overruns everything seen is not for ever about to end.
    pub fn unknown() -> Self {
        Self {
            remaining_ns: UNKNOWN_NS,
        }
    }

    /// A sample's own estimates, shrunk towards another forecast.
    ///
    /// `own_ns` is the mean residual life the sample shows in each bucket and
    /// `sample.passes()` says how much of the sample that rests on: `n`
    /// passes weigh against `pseudo_passes` of the other forecast, on the
    /// scale of logarithms, since what is shrunk here spans orders of
    /// magnitude: `own^(n/(n+p)) * other^(p/(n+p))`. Where no sample has been,
    /// or the estimate is no number, the other forecast stands, but no less
    /// than [`Forecast::unknown`].
    pub fn shrunk(
        own_ns: &[f64; BUCKETS],
        sample: &Distribution,
        other: &Forecast,
        pseudo_passes: f64,
    ) -> Self {
        let mut remaining_ns =
            std::array::from_fn(|index| other.remaining_ns[index].max(UNKNOWN_NS[index]));
        let passes = sample.passes();
        for (index, passes) in passes.iter().enumerate().take(sample.reached()) {
            let trust = passes / (passes + pseudo_passes);
            let own = own_ns[index].max(1.0);
            // Also false where either is NaN.
            if trust > 0.0 && own.is_finite() {
                let target = remaining_ns[index] as f64;
                let shrunk = target * (own / target).powf(trust);
                remaining_ns[index] = shrunk.round().max(1.0) as u64;
            }
        }
        Self { remaining_ns }
    }

    /// The expected remaining CPU time, in nanoseconds, by bucket.
    pub fn remaining_ns(&self) -> &[u64; BUCKETS] {
        &self.remaining_ns
    }

    /// The expected remaining CPU time, in nanoseconds, of an invocation that
    /// has had `attained_ns`.
    pub fn at(&self, attained_ns: u64) -> u64 {
        self.remaining_ns[bucket(attained_ns)]
    }

    /// Whether any bucket of the other forecast is more than `ratio` times
    /// this one's, or less than its `ratio`-th part.
    pub fn departs(&self, other: &Forecast, ratio: f64) -> bool {
        self.remaining_ns
            .iter()
            .zip(&other.remaining_ns)
            .any(|(&one, &two)| one.max(two) as f64 > ratio * one.min(two) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::num::f64::ANY;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn flat(ns: u64) -> Forecast {
        Forecast {
            remaining_ns: [ns; BUCKETS],
        }
    }

    #[test]
    fn one_pass_against_a_quarter_has_four_fifths_of_the_say() {
        let sample = Distribution::of(&[500 * MS]);
        let forecast = Forecast::shrunk(&[1e6; BUCKETS], &sample, &flat(32 * MS), 0.25);
        assert_eq!(forecast.at(0), 2 * MS);
    }

    #[test]
    fn where_no_sample_has_been_the_other_forecast_stands() {
        let sample = Distribution::of(&[MS]);
        let forecast = Forecast::shrunk(&[0.0; BUCKETS], &sample, &flat(100 * MS), 0.25);
        assert_eq!(forecast.at(10 * MS), 100 * MS);
    }

    #[test]
    fn past_all_samples_it_grows_with_what_was_attained() {
        let sample = Distribution::of(&[MS]);
        let forecast = Forecast::shrunk(&[0.0; BUCKETS], &sample, &flat(1), 0.25);
        assert_eq!(forecast.at(1 << 30), 1 << 29);
        assert_eq!(forecast.at(1 << 34), 1 << 33);
    }

    #[test]
    fn forecasts_depart_by_their_ratio() {
        assert!(!flat(100).departs(&flat(125), 1.25));
        assert!(flat(100).departs(&flat(126), 1.25));
        assert!(flat(126).departs(&flat(100), 1.25));
    }

    proptest! {
        #[test]
        fn it_lies_between_the_sample_and_the_other_forecast(
            own in 1e3..1e12f64,
            other in 1u64 << 40..1 << 50,
            series in prop::collection::vec(any::<u64>(), 0..20),
        ) {
            let sample = Distribution::of(&series);
            let forecast = Forecast::shrunk(&[own; BUCKETS], &sample, &flat(other), 0.25);
            let (low, high) = (own.min(other as f64), own.max(other as f64));
            for &remaining in forecast.remaining_ns() {
                let remaining = remaining as f64;
                prop_assert!(low * 0.999 <= remaining && remaining <= high * 1.001);
            }
        }

        #[test]
        fn whatever_is_estimated_it_is_defined_everywhere(
            own in ANY,
            weight in ANY,
            value: u64,
            other in 0u64..,
            pseudo in ANY,
        ) {
            let mut sample = Distribution::empty();
            sample.add(value, weight);
            sample.add(value / 2, weight);
            let forecast = Forecast::shrunk(&[own; BUCKETS], &sample, &flat(other), pseudo);
            prop_assert!(forecast.remaining_ns().iter().all(|&remaining| remaining > 0));
        }
    }
}
