// SPDX-License-Identifier: GPL-2.0-only
//! The `avg` predictor: every value of the series is as likely as any other.

use super::moments::Moments;
use super::predictor::Predictor;

/// The default predictor of the published artifact: the next value is the
/// mean, and the remaining time the mean residual life of all values alike.
#[derive(Clone, Copy, Debug, Default)]
pub struct Avg;

impl Predictor for Avg {
    fn name(&self) -> &'static str {
        "avg"
    }

    fn next_ns(&self, series_ns: &[u64]) -> Option<f64> {
        Moments::of(series_ns).map(|moments| moments.mean_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Distribution, Forecast};
    use crate::policy::grid::start;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_next_value_is_the_mean() {
        assert_eq!(Avg.next_ns(&[10, 20, 60]), Some(30.0));
        assert_eq!(Avg.next_ns(&[]), None);
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
}
