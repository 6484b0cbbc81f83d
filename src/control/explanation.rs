// SPDX-License-Identifier: GPL-2.0-only
//! What `scx_alps explain` asks the daemon for.

use scx_alps::learn::Tuned;
use serde::{Deserialize, Serialize};

/// One function: what was learned, what it rests on, and what is in force.
/// Times are nanoseconds; sequences have one value for each bucket of the
/// grid of attained service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    pub name: String,
    /// By what it was recognised.
    pub source: String,
    /// Whether a tenant could choose to be taken for it.
    pub spoofable: bool,
    pub predictor: String,
    /// What `gittins` keeps small; empty with other predictors.
    pub objective: String,
    /// `K` in force.
    pub bias_factor: f64,
    pub utilisation_percent: f64,
    /// Invocations remembered.
    pub remembered: u32,
    /// The most recent of them, those that are learned from.
    pub samples: u32,
    /// How many samples these amount to, as the predictor weights them.
    pub weight: f64,
    pub mean_ns: f64,
    pub stdev_ns: f64,
    pub least_ns: u64,
    pub most_ns: u64,
    /// How many ended in each bucket.
    pub histogram: Vec<u32>,
    /// Expected to remain, or the index that stands for it.
    pub remaining_ns: Vec<u64>,
    /// Expected to remain, where `remaining_ns` is an index; else empty.
    pub residual_ns: Vec<u64>,
    /// As `remaining_ns`, for a function never seen.
    pub prior_ns: Vec<u64>,
    /// In force.
    pub bias_ns: Vec<u64>,
    pub predicted_ns: u64,
    /// In force; 0: none of its own.
    pub slice_ns: u64,
    /// Before the fine-tuning; `None` where none was simulated.
    pub predicted_slice_ns: Option<f64>,
    /// What the fine-tuning makes of it; `None` where there is none.
    pub tuned: Option<Tuned>,
    /// Mean waiting time in the simulated SRPT schedule.
    pub simulated_wait_ns: Option<f64>,
    /// Place in the order of those waits, 0 the first.
    pub rank: u32,
    /// Functions in that order.
    pub functions: usize,
    /// The last minute, oldest first.
    pub past: Vec<Summary>,
}

/// What was in force for a function at some moment of the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub age_s: f64,
    pub samples: u32,
    pub predicted_ns: u64,
    pub slice_ns: u64,
    /// Of an invocation that has had nothing yet.
    pub bias_ns: u64,
}
