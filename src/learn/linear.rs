// SPDX-License-Identifier: GPL-2.0-only
//! The `LR` predictor: a straight line through the series.

use super::distribution::Distribution;
use super::moments::Moments;
use super::predictor::Predictor;

/// The next value lies within the range of the values seen, widened by this
/// ratio on either side: a line through a few values says little of far off.
const WIDENED: f64 = 2.0;

/// Least squares of the values over their place in the series, followed one
/// place further, as in the published artifact.
///
/// The remaining time is that of the same values, all scaled so that their
/// mean is the one predicted: the line says where the function is going, the
/// values how they scatter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear;

impl Predictor for Linear {
    fn name(&self) -> &'static str {
        "LR"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        let mean_ns = Moments::of(series_ns)?.mean_ns;
        let count = series_ns.len() as f64;
        let middle = (count - 1.0) / 2.0;
        let (mut slope, mut spread) = (0.0, 0.0);
        for (place, &value_ns) in series_ns.iter().enumerate() {
            let aside = place as f64 - middle;
            slope += aside * (value_ns as f64 - mean_ns);
            spread += aside * aside;
        }
        if spread > 0.0 {
            slope /= spread;
        }
        let least = *series_ns.iter().min()? as f64;
        let most = *series_ns.iter().max()? as f64;
        let next_ns = mean_ns + slope * (count - middle);
        Some(next_ns.clamp(least / WIDENED, most * WIDENED))
    }

    fn distribution(&self, series_ns: &[u64], next_ns: Option<f64>) -> Distribution {
        Distribution::scaled(series_ns, next_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::residual::mean_residual_ns;

    const MS: u64 = 1_000_000;

    fn next(series: &[u64]) -> f64 {
        Linear.next_ns(series).unwrap()
    }

    #[test]
    fn a_line_is_followed() {
        assert_eq!(next(&[10, 20, 30, 40]), 50.0);
        assert_eq!(next(&[40, 30]), 20.0);
        assert_eq!(Linear.next_ns(&[]), None);
    }

    #[test]
    fn the_next_value_is_worked_by_hand() {
        // Mean 20, slope (-1.5*-10 + -0.5*10 + 0.5*-10 + 1.5*10) / 5 = 4.
        assert_eq!(next(&[10, 30, 10, 30]), 20.0 + 4.0 * 2.5);
    }

    #[test]
    fn where_there_is_no_trend_it_is_the_mean() {
        assert_eq!(next(&[7]), 7.0);
        assert_eq!(next(&[7; 100]), 7.0);
        assert_eq!(next(&[5, 9, 9, 5]), 7.0);
    }

    #[test]
    fn it_is_not_followed_far_beyond_what_was_seen() {
        assert_eq!(next(&[100, 10]), 5.0);
        assert_eq!(next(&[0, u64::MAX]), 2.0 * u64::MAX as f64);
    }

    #[test]
    fn the_distribution_has_the_mean_that_is_predicted() {
        let series: Vec<u64> = (1..100).map(|value| value * MS).collect();
        let residual = mean_residual_ns(&Linear.distribution(&series, Some(next(&series))))[0];
        assert!((residual / 100e6 - 1.0).abs() < 0.001, "{residual}");
    }
}
