// SPDX-License-Identifier: GPL-2.0-only
//! What lies beyond the largest value of a sample.

use super::distribution::Distribution;
use crate::policy::grid::start;

/// How far values above the median lie from it where nothing is known: the
/// mean of the logarithm of their ratio. That of a log-normal distribution
/// whose logarithm has the standard deviation 0.5.
const TYPICAL: f64 = 0.4;

/// Values above the median that [`TYPICAL`] weighs as much as.
const DOUBT: f64 = 1.0;

/// From here on a Pareto distribution has no mean.
const MOST: f64 = 1.0;

/// Values that stand for the one that is larger: as many quantiles, the
/// logarithms of an exponential variable of mean 1.
const QUANTILES: [f64; 8] = [
    0.064_539, 0.207_639, 0.374_693, 0.575_364, 0.826_679, 1.163_151, 1.673_976, 2.772_589,
];

/// The sample with one value more, that is larger than all of them.
///
/// The next of independent values exceeds the `n` before it with probability
/// `1 / (n + 1)`. To take the largest for the end of the distribution, and
/// who gets there for somebody of whom nothing is known, sends an invocation
/// that takes 5 % longer than any before it behind those that take a hundred
/// times as long.
///
/// How much larger it is, the sample says: the logarithm of its ratio to the
/// largest is taken to be exponential (the tail is Pareto's, as extreme values
/// have it), with the mean that the values above the median have to the median.
/// So a function that is always the same ends where it always has, and one
/// with a heavy tail is expected to go on in proportion to what it has had.
pub fn with_tail(sample: &Distribution) -> Distribution {
    let mut extended = sample.clone();
    let most_ns = sample.most_ns() as f64;
    let spread = spread(sample);
    if sample.weight() > 0.0 {
        for exponential in QUANTILES {
            let value_ns = most_ns * (spread * exponential).exp();
            extended.add(value_ns as u64, 1.0 / QUANTILES.len() as f64);
        }
    }
    extended
}

/// The mean logarithm of the ratio of values above the median to it, which
/// few values leave in doubt.
fn spread(sample: &Distribution) -> f64 {
    let half = sample.weight() / 2.0;
    let mut passed = 0.0;
    let mut median_ln = None;
    let (mut sum, mut above) = (0.0, 0.0);
    for (index, bucket) in sample.buckets().iter().enumerate() {
        if bucket.weight <= 0.0 {
            continue;
        }
        passed += bucket.weight;
        if passed < half {
            continue;
        }
        let mean_ns = start(index) as f64 + bucket.reach / bucket.weight;
        let ln = mean_ns.max(1.0).ln();
        let median_ln = *median_ln.get_or_insert(ln);
        sum += bucket.weight * (ln - median_ln);
        above += bucket.weight;
    }
    // One value is the median itself.
    let above = (above - 1.0).max(0.0);
    ((sum + DOUBT * TYPICAL) / (above + DOUBT)).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::residual::mean_residual_ns;
    use crate::policy::grid::bucket;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// The mean residual life in the bucket of an attained service.
    fn left_ns(series: &[u64], attained_ns: u64) -> f64 {
        let extended = with_tail(&Distribution::of(series));
        mean_residual_ns(&extended)[bucket(attained_ns)]
    }

    #[test]
    fn the_quantiles_are_those_of_an_exponential_variable() {
        for (index, quantile) in QUANTILES.iter().enumerate() {
            let probability = (index as f64 + 0.5) / QUANTILES.len() as f64;
            assert!((quantile + (1.0 - probability).ln()).abs() < 1e-6);
        }
    }

    #[test]
    fn what_is_always_the_same_ends_where_it_always_has() {
        let extended = with_tail(&Distribution::of(&[10 * MS; 100]));
        assert!(extended.most_ns() < 10_200_000, "{}", extended.most_ns());
        assert_eq!(extended.weight(), 101.0);
    }

    #[test]
    fn an_outlier_is_thought_of_by_the_function_it_is_of() {
        // A log-normal function of sigma 0.2 about 150 ms.
        let narrow: Vec<u64> = (0..40)
            .map(|step| {
                let normal = (f64::from(step) - 19.5) / 10.0;
                (150e6 * (0.2 * normal).exp()) as u64
            })
            .collect();
        let left = left_ns(&narrow, *narrow.last().unwrap());
        assert!((10e6..60e6).contains(&left), "{left}");
        let wide: Vec<u64> = (0..40).map(|step| MS << (step / 4)).collect();
        let largest_ns = *wide.last().unwrap();
        assert!(left_ns(&wide, 2 * largest_ns) > largest_ns as f64);
    }

    #[test]
    fn one_value_has_a_typical_spread() {
        let spread = spread(&Distribution::of(&[10 * MS]));
        assert!((spread - TYPICAL).abs() < 1e-9, "{spread}");
    }

    #[test]
    fn nothing_has_no_tail() {
        let nothing = Distribution::empty();
        assert_eq!(with_tail(&nothing), nothing);
    }

    proptest! {
        #[test]
        fn it_is_one_value_more_and_larger(
            series in prop::collection::vec(0..u64::MAX / 32, 1..300),
        ) {
            let sample = Distribution::of(&series);
            let extended = with_tail(&sample);
            prop_assert!((extended.weight() - sample.weight() - 1.0).abs() < 1e-6);
            prop_assert!(extended.most_ns() >= sample.most_ns());
            prop_assert!((0.0..=MOST).contains(&spread(&sample)));
        }
    }
}
