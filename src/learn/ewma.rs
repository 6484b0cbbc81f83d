// SPDX-License-Identifier: GPL-2.0-only
//! The `EWMA` predictor: the newer a value, the more it counts.

use super::distribution::Distribution;
use super::predictor::Predictor;

/// The share a value loses with every newer one; the published artifact's.
const DECAY: f64 = 0.2;

/// An exponentially weighted moving average: the newest value has weight 1,
/// the one before it 0.8, and so on, divided by the sum of the weights.
///
/// The remaining time is the mean residual life of the values weighted
/// likewise. The weights add up to 5 at most, so that is how many values a
/// long series amounts to beside the prior.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ewma;

impl Predictor for Ewma {
    fn name(&self) -> &'static str {
        "EWMA"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        let (mut total, mut weights) = (0.0, 0.0);
        for (value_ns, weight) in weighted(series_ns) {
            total += weight * value_ns as f64;
            weights += weight;
        }
        (weights > 0.0).then(|| total / weights)
    }

    fn distribution(&self, series_ns: &[u64], _: Option<f64>) -> Distribution {
        let mut distribution = Distribution::empty();
        for (value_ns, weight) in weighted(series_ns) {
            distribution.add(value_ns, weight);
        }
        distribution
    }
}

/// The values with their weights, the newest first.
fn weighted(series_ns: &[u64]) -> impl Iterator<Item = (u64, f64)> {
    let weights = std::iter::successors(Some(1.0), |weight| Some(weight * (1.0 - DECAY)));
    series_ns.iter().rev().copied().zip(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::residual::mean_residual_ns;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_next_value_is_worked_by_hand() {
        // (1*30 + 0.8*20 + 0.64*10) / (1 + 0.8 + 0.64)
        let next = Ewma.next_ns(&[10, 20, 30]).unwrap();
        assert!((next - 52.4 / 2.44).abs() < 1e-9, "{next}");
        assert_eq!(Ewma.next_ns(&[7]), Some(7.0));
        assert_eq!(Ewma.next_ns(&[]), None);
    }

    #[test]
    fn ten_values_of_a_new_behaviour_are_nine_tenths_of_it() {
        let series: Vec<u64> = [vec![100 * MS; 200], vec![10 * MS; 10]].concat();
        let next = Ewma.next_ns(&series).unwrap();
        assert!((19e6..20e6).contains(&next), "{next}");
    }

    #[test]
    fn the_distribution_has_the_mean_that_is_predicted() {
        let series: Vec<u64> = (1..100).map(|value| value * MS).collect();
        let residual = mean_residual_ns(&Ewma.distribution(&series, None))[0];
        let next = Ewma.next_ns(&series).unwrap();
        assert!((residual / next - 1.0).abs() < 0.001, "{residual} {next}");
    }

    #[test]
    fn a_long_series_amounts_to_five_values() {
        let passes = Ewma.distribution(&[MS; 256], None).passes()[0];
        assert!((4.99..5.01).contains(&passes), "{passes}");
    }
}
