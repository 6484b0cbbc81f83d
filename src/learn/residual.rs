// SPDX-License-Identifier: GPL-2.0-only
//! The mean residual life: what an invocation needs yet, on average, given
//! what it has had.

use super::distribution::{Distribution, width_ns};
use crate::policy::grid::{BUCKETS, start};

/// The mean residual life in nanoseconds for every bucket of attained service.
///
/// Within a bucket it is averaged over the time invocations spend there,
/// because that is when a forecast is looked at: with `X` the CPU time and
/// the bucket from `s` to `e`,
///
/// ```text
/// E[ integral over a from s to e, a < X, of (X - a) da ] / E[ time in (s, e) ]
/// ```
///
/// A value that ends `r` into the bucket adds `r²/2` and `r`; one that ends
/// beyond it, `(e - s) * (X - (s + e)/2)` and `e - s`. The last bucket is
/// open, and its residual life is the one at its start. Where the sample
/// never was, it is 0.
pub fn mean_residual_ns(sample: &Distribution) -> [f64; BUCKETS] {
    let mut residual_ns = [0.0; BUCKETS];
    let mut weight_above = 0.0;
    let mut total_above = 0.0;
    let reached = &sample.buckets()[..sample.reached()];
    for (index, bucket) in reached.iter().enumerate().rev() {
        let start = start(index) as f64;
        residual_ns[index] = match width_ns(index) {
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
    residual_ns
}

/// `part / whole`, or 0 where the whole is nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::grid::bucket;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn residual(series: &[u64]) -> [f64; BUCKETS] {
        mean_residual_ns(&Distribution::of(series))
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
    fn a_deterministic_function_has_left_what_it_has_not_attained() {
        let residual = residual(&[10 * MS; 7]);
        let own = bucket(10 * MS);
        for (index, &left) in residual[..own].iter().enumerate() {
            assert_near(left, 10e6 - middle(index), 1e-12);
        }
        assert_near(residual[own], (10 * MS - start(own)) as f64 / 2.0, 1e-12);
    }

    #[test]
    fn past_the_short_mode_the_long_mode_is_what_remains() {
        let mut series = vec![MS; 90];
        series.extend([100 * MS; 10]);
        let residual = residual(&series);
        assert_near(residual[0], 10.9e6 - middle(0), 1e-12);
        let past = bucket(2 * MS);
        assert_near(residual[past], 100e6 - middle(past), 1e-12);
    }

    #[test]
    fn an_exponential_function_never_ages() {
        let series: Vec<u64> = (0..100_000)
            .map(|index| (-((f64::from(index) + 0.5) / 1e5).ln() * 50e6) as u64)
            .collect();
        let residual = residual(&series);
        for attained in [0, MS, 10 * MS, 100 * MS, 200 * MS] {
            assert_near(residual[bucket(attained)], 50e6, 0.02);
        }
    }

    #[test]
    fn the_open_bucket_counts_from_its_start() {
        let last = start(BUCKETS - 1);
        assert_eq!(residual(&[last + 10, last + 30])[BUCKETS - 1], 20.0);
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
                assert_near(residual(&series)[index], left / time, 0.03);
            }
        }

        #[test]
        fn it_is_defined_everywhere(series in prop::collection::vec(any::<u64>(), 0..300)) {
            prop_assert!(residual(&series).iter().all(|left| left.is_finite() && *left >= 0.0));
        }
    }
}
