// SPDX-License-Identifier: GPL-2.0-only
//! What can be set about learning.

use super::bias::BiasFactor;
use super::following::LoadFactor;
use super::tuning::TuningParams;
use crate::policies::{Alps, Policy};

/// The settings of a learner.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerConfig {
    /// How long an invocation is replayed after its end. Default 60 s.
    pub window_ns: u64,
    /// How many invocations are replayed at most. Default 16,384.
    pub window_capacity: usize,
    /// CPUs of the simulated machine; 0 counts as 1. Default 1.
    pub cpus: usize,
    /// What the forecasts are made biases by. Default ALPS, which takes them
    /// as they are.
    pub policy: &'static dyn Policy,
    /// Bias for each unit of remaining CPU time. Default 16.
    pub bias_factor: BiasFactor,
    /// How that follows the load. Default 1: it does not.
    pub load_factor: LoadFactor,
    /// No bias exceeds this. It has to stay well below the 30 s after which
    /// the kernel's watchdog ends a scheduler that leaves a task waiting.
    /// Default 16 s.
    pub max_bias_ns: u64,
    /// A function not seen for longer is forgotten. Default 600 s.
    pub forget_after_ns: u64,
    /// The fine-tuning of slices.
    pub tuning: TuningParams,
}

impl Default for LearnerConfig {
    fn default() -> Self {
        const SECOND_NS: u64 = 1_000_000_000;
        Self {
            window_ns: 60 * SECOND_NS,
            window_capacity: 16_384,
            cpus: 1,
            policy: &Alps,
            bias_factor: BiasFactor::default(),
            load_factor: LoadFactor::default(),
            max_bias_ns: 16 * SECOND_NS,
            forget_after_ns: 600 * SECOND_NS,
            tuning: TuningParams::default(),
        }
    }
}

impl LearnerConfig {
    /// The same, to have a table of what is expected instead of one to
    /// enforce: its biases are the remaining CPU times themselves.
    pub fn expectations(self) -> Self {
        // 1 is within the range.
        let one = BiasFactor::new(1.0).unwrap_or_default();
        Self {
            policy: &Alps,
            bias_factor: one,
            load_factor: LoadFactor::default(),
            max_bias_ns: u64::MAX,
            ..self
        }
    }
}
