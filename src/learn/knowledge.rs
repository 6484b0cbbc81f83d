// SPDX-License-Identifier: GPL-2.0-only
//! What is known of one function, and what it rests on.

use super::avg::Avg;
use super::forecast::Forecast;
use super::function::Function;
use super::moments::Moments;
use super::predictor::Predictor;
use super::shift;
use crate::policy::grid::{BUCKETS, bucket};

/// What was learned of a function, to be shown. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Knowledge {
    /// Invocations remembered.
    pub remembered: u32,
    /// The most recent of them, which show the present behaviour and are
    /// learned from; fewer than are remembered after a change.
    pub samples: u32,
    /// How many samples they amount to, as the predictor weights them.
    pub weight: f64,
    /// Mean of those learned from.
    pub mean_ns: f64,
    pub stdev_ns: f64,
    /// The shortest and the longest of those learned from.
    pub least_ns: u64,
    pub most_ns: u64,
    /// How many of those learned from ended in each bucket of attained service.
    pub histogram: [u32; BUCKETS],
    /// What is expected to remain, by bucket of attained service.
    pub forecast: Forecast,
    /// The mean residual life, shrunk as the forecast is; the forecast itself
    /// where that is one.
    pub residual: Forecast,
    /// Slice as predicted, before the fine-tuning, and the standard deviation
    /// of those it was predicted from.
    pub predicted_slice_ns: Option<f64>,
    pub slice_stdev_ns: Option<f64>,
    /// Mean waiting time in the simulated SRPT schedule.
    pub simulated_wait_ns: Option<f64>,
}

impl Knowledge {
    pub(super) fn of(function: &Function, predictor: &dyn Predictor, prior: &Forecast) -> Self {
        let series_ns: Vec<u64> = function.history.samples_ns().collect();
        let present_ns = shift::present(&series_ns);
        let moments = Moments::of(present_ns);
        let sample = predictor.distribution(present_ns, predictor.next_ns(present_ns));
        let mut histogram = [0; BUCKETS];
        for &cpu_ns in present_ns {
            histogram[bucket(cpu_ns)] += 1;
        }
        Self {
            remembered: series_ns.len() as u32,
            samples: present_ns.len() as u32,
            weight: sample.weight(),
            mean_ns: moments.map_or(0.0, |moments| moments.mean_ns),
            stdev_ns: moments.map_or(0.0, |moments| moments.stdev_ns),
            least_ns: present_ns.iter().copied().min().unwrap_or(0),
            most_ns: present_ns.iter().copied().max().unwrap_or(0),
            histogram,
            forecast: function.forecast().clone(),
            residual: Avg.forecast(&sample, prior),
            predicted_slice_ns: function.slice().map(|slice| slice.predicted_ns),
            slice_stdev_ns: function.slice().map(|slice| slice.stdev_ns),
            simulated_wait_ns: function.mean_wait_ns(),
        }
    }
}
