// SPDX-License-Identifier: GPL-2.0-only
//! What a predictor does.

use std::fmt;

use super::distribution::Distribution;
use super::forecast::Forecast;
use super::residual::mean_residual_ns;
use super::tail::with_tail;
use crate::policy::grid::BUCKETS;

/// Turns the past of a function into what is expected of it.
///
/// There are two things to predict. The next value of a series, which gives
/// slices and CPU times, and how the remaining CPU time changes with what was
/// attained, which gives biases. A predictor of series alone (a regression, a
/// moving average, a forest) says through
/// [`distribution`](Predictor::distribution) which sample it believes in and
/// leaves the rest to the mean residual life; a predictor of order alone (an
/// index) replaces [`remaining_ns`](Predictor::remaining_ns).
///
/// A predictor must be deterministic: the same past, the same prediction.
pub trait Predictor: fmt::Debug + Send {
    /// What users choose it by.
    fn name(&self) -> &'static str;

    /// The next value of a series of durations, oldest first, in nanoseconds,
    /// finite and at least 0; `None` where the series says nothing.
    fn next_ns(&self, series_ns: &[u64]) -> Option<f64>;

    /// The distribution the next value of a series is drawn from, given what
    /// [`next_ns`](Predictor::next_ns) says of it. By default every value of
    /// the series is as likely as any other.
    fn distribution(&self, series_ns: &[u64], _next_ns: Option<f64>) -> Distribution {
        Distribution::of(series_ns)
    }

    /// The remaining CPU time in nanoseconds, or an index to order by in its
    /// place, as the sample alone shows it for every bucket of attained
    /// service. What it says of a bucket the sample never reaches is ignored.
    /// By default the mean residual life.
    fn remaining_ns(&self, sample: &Distribution) -> [f64; BUCKETS] {
        mean_residual_ns(sample)
    }

    /// The forecast for a function with the given sample on a platform with
    /// the given prior: what the sample shows, given that it may yet be
    /// [exceeded](with_tail), shrunk towards the prior by [`PSEUDO_PASSES`].
    fn forecast(&self, sample: &Distribution, prior: &Forecast) -> Forecast {
        let sample = with_tail(sample);
        Forecast::shrunk(&self.remaining_ns(&sample), &sample, prior, PSEUDO_PASSES)
    }
}

/// How many samples of the function itself the platform's prior is worth.
///
/// By Bühlmann's credibility this is the variance within a function over the
/// variance between functions. Between functions the logarithm of the
/// duration has a variance of about 5.6 (the fit in
/// [`prior`](super::prior)); 1.4 within a function, a spread of some
/// three times up or down, makes a quarter. So a function seen once is
/// believed to four fifths.
pub const PSEUDO_PASSES: f64 = 0.25;
