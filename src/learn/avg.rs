// SPDX-License-Identifier: GPL-2.0-only
//! The `avg` predictor: means, of the series and of the residual life.

use super::distribution::{Distribution, width_ns};
use super::moments::Moments;
use super::predictor::Predictor;
use crate::policy::grid::{BUCKETS, start};

/// The default predictor of the published artifact for series; for the
/// remaining time, the mean residual life of the empirical distribution.
///
/// Within a bucket the residual life is averaged over the time invocations
/// spend there, because that is when the forecast is looked at: with `X` the
/// CPU time and the bucket from `s` to `e`,
///
/// ```text
/// E[ integral over a from s to e, a < X, of (X - a) da ] / E[ time in (s, e) ]
/// ```
///
/// A value that ends `r` into the bucket adds `r²/2` and `r`; one that ends
/// beyond it, `(e - s) * (X - (s + e)/2)` and `e - s`. The last bucket is
/// open, and its residual life is the one at its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Avg;

impl Predictor for Avg {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        Moments::of(series_ns).map(|moments| moments.mean_ns)
    }

    fn remaining_ns(&self, sample: &Distribution) -> [f64; BUCKETS] {
        let mut remaining_ns = [0.0; BUCKETS];
        let mut weight_above = 0.0;
        let mut total_above = 0.0;
        for (index, bucket) in sample.buckets().iter().enumerate().rev() {
            let start = start(index) as f64;
            remaining_ns[index] = match width_ns(index) {
                Some(width) => {
                    let middle = start + width / 2.0;
                    let residual =
                        bucket.reach_squared / 2.0 + width * (total_above - weight_above * middle);
                    let time = bucket.reach + weight_above * width;
                    ratio(residual, time)
                }
                None => ratio(bucket.reach, bucket.weight),
            };
            weight_above += bucket.weight;
            total_above += bucket.reach + bucket.weight * start;
        }
        remaining_ns
    }
}

/// `part / whole`, or 0 where the whole is nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Forecast;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn remaining(series: &[u64]) -> [f64; BUCKETS] {
        Avg.remaining_ns(&Distribution::of(series))
    }

    fn middle(index: usize) -> f64 {
        (start(index) + start(index + 1)) as f64 / 2.0
    }

    fn assert_near(actual: f64, expected: f64, tolerance: f64) {
        assert!(
            (actual - expected).abs() <= tolerance * expected.abs(),
            "{actual} is not near {expected}"
        );
    }

    #[test]
    fn the_next_value_is_the_mean() {
        assert_eq!(Avg.next_ns(&[10, 20, 60]), Some(30.0));
        assert_eq!(Avg.next_ns(&[]), None);
    }

    #[test]
    fn a_deterministic_function_has_left_what_it_has_not_attained() {
        let remaining = remaining(&[10 * MS; 7]);
        let own = crate::policy::grid::bucket(10 * MS);
        for (index, &left) in remaining[..own].iter().enumerate() {
            assert_near(left, 10e6 - middle(index), 1e-12);
        }
        assert_near(remaining[own], (10 * MS - start(own)) as f64 / 2.0, 1e-12);
    }

    #[test]
    fn past_the_short_mode_the_long_mode_is_what_remains() {
        let mut series = vec![MS; 90];
        series.extend([100 * MS; 10]);
        let remaining = remaining(&series);
        assert_near(remaining[0], 10.9e6 - middle(0), 1e-12);
        let past = crate::policy::grid::bucket(2 * MS);
        assert_near(remaining[past], 100e6 - middle(past), 1e-12);
    }

    #[test]
    fn an_exponential_function_never_ages() {
        let series: Vec<u64> = (0..100_000)
            .map(|index| (-((f64::from(index) + 0.5) / 1e5).ln() * 50e6) as u64)
            .collect();
        let remaining = remaining(&series);
        for attained in [0, MS, 10 * MS, 100 * MS, 200 * MS] {
            assert_near(remaining[crate::policy::grid::bucket(attained)], 50e6, 0.02);
        }
    }

    #[test]
    fn the_open_bucket_counts_from_its_start() {
        let last = start(BUCKETS - 1);
        let remaining = remaining(&[last + 10, last + 30]);
        assert_eq!(remaining[BUCKETS - 1], 20.0);
    }

    #[test]
    fn a_function_seen_once_is_mostly_believed() {
        let prior = Avg.forecast(&Distribution::of(&[1_000 * MS; 1000]), &Forecast::unknown());
        let once = Avg.forecast(&Distribution::of(&[10 * MS]), &prior);
        assert!(
            once.at(0) > 10 * MS && once.at(0) < 30 * MS,
            "{}",
            once.at(0)
        );
        let often = Avg.forecast(&Distribution::of(&[10 * MS; 64]), &prior);
        assert!(often.at(0) < 11 * MS, "{}", often.at(0));
    }

    #[test]
    fn an_overrun_is_not_for_ever_about_to_end() {
        let prior = Avg.forecast(&Distribution::of(&[MS; 1000]), &Forecast::unknown());
        let forecast = Avg.forecast(&Distribution::of(&[10 * MS; 256]), &prior);
        for attained in [13 * MS, 30 * MS, 1_000 * MS, 1 << 37] {
            assert!(forecast.at(attained) >= attained / 3, "{attained}");
        }
    }

    #[test]
    fn a_sample_that_barely_enters_a_bucket_does_not_speak_for_it() {
        let series = [start(20) + 100; 64];
        let forecast = Avg.forecast(&Distribution::of(&series), &Forecast::unknown());
        assert!(forecast.at(start(20) + 1000) > start(20) / 4);
    }

    proptest! {
        #[test]
        fn it_is_the_integral_over_the_bucket(
            series in prop::collection::vec(0u64..5 << 20, 1..20),
            index in 0usize..16,
        ) {
            let (from, to) = (start(index) as f64, start(index + 1) as f64);
            let steps = 4000;
            let (mut left, mut time) = (0.0, 0.0);
            for step in 0..steps {
                let attained = from + (to - from) * (f64::from(step) + 0.5) / f64::from(steps);
                for &value in &series {
                    if attained < value as f64 {
                        left += value as f64 - attained;
                        time += 1.0;
                    }
                }
            }
            // Where less than a hundredth of the bucket is covered, the sum is coarse.
            if time > f64::from(steps) / 100.0 {
                assert_near(remaining(&series)[index], left / time, 0.03);
            }
        }

        #[test]
        fn it_is_defined_everywhere(series in prop::collection::vec(any::<u64>(), 0..300)) {
            let sample = Distribution::of(&series);
            let own = Avg.remaining_ns(&sample);
            prop_assert!(own.iter().all(|left| left.is_finite() && *left >= 0.0));
            let forecast = Avg.forecast(&sample, &Forecast::unknown());
            prop_assert!(forecast.remaining_ns().iter().all(|&left| left > 0));
        }
    }
}
