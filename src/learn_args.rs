// SPDX-License-Identifier: GPL-2.0-only
//! How is learned, on the command line of the daemon and of the simulator.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use scx_alps::learn::{BiasFactor, Change, LearnerConfig, Method, Objective, Settings};

use crate::cli::{interval, max_bias, window};

#[derive(Args, Clone, Debug)]
pub struct LearnArgs {
    /// How the next CPU time is predicted: avg, LR, EWMA, RF or gittins
    #[arg(long, value_name = "NAME", default_value_t = Method::default(), help_heading = "Learn")]
    ml: Method,

    /// What gittins keeps small: the mean response, or the mean slowdown
    #[arg(long, value_name = "response|slowdown", default_value_t = Objective::default(), help_heading = "Learn")]
    objective: Objective,

    /// Weight of the predicted slice
    #[arg(
        long,
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    alpha: f64,

    /// Weight of the standard deviation taken off an unpredictable function's slice
    #[arg(
        long,
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    beta: f64,

    /// CPU utilisation in percent from which on slices shrink
    #[arg(
        long,
        default_value_t = 50.0,
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    theta: f64,

    /// How gently slices shrink under overload
    #[arg(
        long,
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Learn"
    )]
    gamma: f64,

    /// Switch OFF the tuning for unpredictable functions
    #[arg(long, help_heading = "Learn")]
    unpred: bool,

    /// Switch OFF the tuning for overload
    #[arg(long, help_heading = "Learn")]
    overload: bool,

    /// Time between two rounds of learning
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval, help_heading = "Learn")]
    pub interval: Duration,

    /// How far back the replayed window reaches
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = window, help_heading = "Learn")]
    window: Duration,

    /// K: seconds of waiting that one second of expected remaining CPU time is worth
    #[arg(
        short = 'k',
        long,
        value_name = "K",
        default_value_t = BiasFactor::default().get(),
        allow_negative_numbers = true,
        help_heading = "Enforce"
    )]
    bias_factor: f64,

    /// By how much K is multiplied on a machine that is busy all the time, rising
    /// from theta on; 1: not at all
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Enforce"
    )]
    load_factor: f64,

    /// No bias exceeds this, so no task waits longer for newcomers
    #[arg(long, value_name = "TIME", default_value = "16s", value_parser = max_bias, help_heading = "Enforce")]
    pub max_bias: Duration,
}

impl LearnArgs {
    /// All of them by their names, for options that do not go with any.
    pub const NAMES: [&str; 13] = [
        "ml",
        "objective",
        "alpha",
        "beta",
        "theta",
        "gamma",
        "unpred",
        "overload",
        "interval",
        "window",
        "bias_factor",
        "load_factor",
        "max_bias",
    ];

    /// What can be changed later; values that cannot work are refused here.
    pub fn settings(&self) -> Result<Settings> {
        Ok(Settings::default().changed(&Change {
            ml: Some(self.ml.to_string()),
            objective: Some(self.objective.to_string()),
            alpha: Some(self.alpha),
            beta: Some(self.beta),
            theta: Some(self.theta),
            gamma: Some(self.gamma),
            unpred: Some(!self.unpred),
            overload: Some(!self.overload),
            bias_factor: Some(self.bias_factor),
            load_factor: Some(self.load_factor),
        })?)
    }

    /// A learner's configuration with these settings.
    pub fn config(&self, settings: &Settings) -> LearnerConfig {
        LearnerConfig {
            window_ns: self.window.as_nanos() as u64,
            tuning: settings.tuning,
            bias_factor: settings.bias_factor,
            load_factor: settings.load_factor,
            max_bias_ns: self.max_bias.as_nanos() as u64,
            ..LearnerConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_have_their_names_in_the_list() {
        let command = LearnArgs::augment_args(clap::Command::new("any"));
        let names: Vec<&str> = command
            .get_arguments()
            .map(|arg| arg.get_id().as_str())
            .collect();
        assert_eq!(names, LearnArgs::NAMES);
    }
}
