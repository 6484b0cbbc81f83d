// SPDX-License-Identifier: GPL-2.0-only
//! The `RF` predictor: a random forest over the latest values.

use smartcore::ensemble::random_forest_regressor::{
    RandomForestRegressor, RandomForestRegressorParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::distribution::Distribution;
use super::moments::Moments;
use super::predictor::Predictor;

/// As many trees as in the published artifact.
const TREES: usize = 10;

/// Values looked at, the newest: they bound what a forest costs.
const VALUES: usize = 64;

/// Values each of the trees' leaves averages at least. The artifact has
/// leaves of one value, which predict the noise of the last one.
const LEAF: usize = 4;

const DEPTH: u16 = 5;

/// Every forest is grown from the same seed.
const SEED: u64 = 42;

/// A random forest of regression trees that learns each value from its place
/// in the series and the value before it, and is asked for the next.
///
/// The remaining time is that of the same values, all scaled so that their
/// mean is the one predicted. With fewer than two leaves' worth of values
/// there is nothing to split, and it is the mean.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forest;

impl Predictor for Forest {
    fn name(&self) -> &'static str {
        "RF"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        let latest_ns = latest(series_ns);
        let mean_ns = Moments::of(latest_ns)?.mean_ns;
        let grown = (latest_ns.len() > 2 * LEAF)
            .then(|| grow(latest_ns))
            .flatten();
        Some(grown.unwrap_or(mean_ns))
    }

    fn distribution(&self, series_ns: &[u64], next_ns: Option<f64>) -> Distribution {
        Distribution::scaled(latest(series_ns), next_ns)
    }
}

fn latest(series_ns: &[u64]) -> &[u64] {
    &series_ns[series_ns.len().saturating_sub(VALUES)..]
}

/// The prediction of a forest grown from the series; `None` where the library
/// refuses it. The values are all of one size or the forest has no say, so it
/// cannot leave their range.
fn grow(series_ns: &[u64]) -> Option<f64> {
    let values: Vec<f64> = series_ns.iter().map(|&value| value as f64).collect();
    let rows: Vec<Vec<f64>> = values
        .iter()
        .enumerate()
        .map(|(place, &value)| vec![place as f64, value])
        .collect();
    let (asked, known) = rows.split_last()?;
    let known = DenseMatrix::from_2d_vec(&known.to_vec()).ok()?;
    let asked = DenseMatrix::from_2d_vec(&vec![asked.clone()]).ok()?;
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(TREES)
        .with_max_depth(DEPTH)
        .with_min_samples_leaf(LEAF)
        .with_min_samples_split(2 * LEAF)
        .with_m(2)
        .with_seed(SEED);
    let following = values[1..].to_vec();
    let forest = RandomForestRegressor::fit(&known, &following, parameters).ok()?;
    let next_ns = *forest.predict(&asked).ok()?.first()?;
    next_ns.is_finite().then(|| next_ns.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn next(series: &[u64]) -> f64 {
        Forest.next_ns(series).unwrap()
    }

    #[test]
    fn few_values_have_their_mean() {
        assert_eq!(next(&[10, 20, 60]), 30.0);
        assert_eq!(next(&[7; 8]), 7.0);
        assert_eq!(Forest.next_ns(&[]), None);
    }

    #[test]
    fn identical_values_have_themselves() {
        assert_eq!(next(&[10 * MS; 64]), 10e6);
        assert_eq!(next(&[0; 64]), 0.0);
    }

    #[test]
    fn values_that_take_turns_are_seen_through() {
        let series: Vec<u64> = (0..64)
            .map(|place| if place % 2 == 0 { MS } else { 50 * MS })
            .collect();
        assert!(next(&series) < 10e6, "{}", next(&series));
        assert!(next(&series[..63]) > 40e6, "{}", next(&series[..63]));
    }

    #[test]
    fn the_newest_values_count() {
        let series: Vec<u64> = [vec![10 * MS; 40], vec![15 * MS; 24]].concat();
        let next = next(&series);
        assert!((14e6..=15e6).contains(&next), "{next}");
    }

    #[test]
    fn the_same_past_has_the_same_prediction_within_the_range_seen() {
        let series: Vec<u64> = (0..200).map(|place| (place * 7919) % 1000 * MS).collect();
        assert_eq!(next(&series), next(&series));
        assert!((0.0..=999e6).contains(&next(&series)));
    }
}
