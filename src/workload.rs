// SPDX-License-Identifier: GPL-2.0-only
//! The workload a command is to run: options in, a trace out.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use scx_alps::trace::{Trace, synth, thousand};

/// What a synthetic trace asks for where no --load is given.
const DEFAULT_LOAD: f64 = 0.9;

/// How long a synthetic trace is where no --seconds are given.
const DEFAULT_SECONDS: f64 = 20.0;

/// Which requests arrive when, and how much CPU time they take.
#[derive(Args, Clone, Debug)]
pub struct WorkloadArgs {
    /// The synthetic trace to make
    #[arg(long, value_enum, value_name = "NAME", default_value_t = Synth::Mixed, help_heading = "Workload")]
    pub synth: Synth,

    /// CPU time asked for over CPU time there is [default: 0.9]
    #[arg(long, allow_negative_numbers = true, help_heading = "Workload")]
    pub load: Option<f64>,

    /// How long requests arrive [default: 20]
    #[arg(long, allow_negative_numbers = true, help_heading = "Workload")]
    pub seconds: Option<f64>,
}

/// Synthetic traces there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Synth {
    /// Nine functions from 1 ms to 1.5 s, the short ones popular
    Mixed,
    /// A thousand functions at a thousand requests a second; takes no --load
    Thousand,
}

impl Synth {
    fn name(self) -> &'static str {
        match self {
            Synth::Mixed => "mixed",
            Synth::Thousand => "thousand",
        }
    }
}

impl WorkloadArgs {
    /// What the workload is called in a report.
    pub fn name(&self) -> String {
        self.synth.name().to_owned()
    }

    /// The trace for one seed, meant for `cpus` CPUs.
    ///
    /// # Errors
    /// When the options give no trace.
    pub fn load(&self, seed: u64, cpus: u32) -> Result<Trace> {
        let duration = seconds(self.seconds.unwrap_or(DEFAULT_SECONDS))?;
        let load = self.load.unwrap_or(DEFAULT_LOAD);
        Ok(match self.synth {
            Synth::Mixed => synth::mixed(seed, cpus, load, duration)?,
            Synth::Thousand => thousand(seed, duration),
        })
    }

    /// A trace for each seed, all with the same list of functions.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_all(&self, seeds: &[u64], cpus: u32) -> Result<Vec<(u64, Trace)>> {
        let trace = |&seed: &u64| Ok((seed, self.load(seed, cpus)?));
        seeds.iter().map(trace).collect()
    }
}

fn seconds(value: f64) -> Result<Duration> {
    const LONGEST: f64 = 1e6;
    ensure!(
        (0.0..=LONGEST).contains(&value),
        "--seconds {value} is no duration; pass 0 to {LONGEST:.0}"
    );
    Ok(Duration::from_secs_f64(value))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        workload: WorkloadArgs,
    }

    fn workload(args: &[&str]) -> WorkloadArgs {
        let args = std::iter::once(&"command").chain(args);
        Command::try_parse_from(args).unwrap().workload
    }

    #[test]
    fn nothing_said_is_twenty_seconds_of_the_mix() {
        let trace = workload(&[]).load(1, 2).unwrap();
        let same = synth::mixed(1, 2, DEFAULT_LOAD, Duration::from_secs(20)).unwrap();
        assert_eq!(trace, same);
        assert_eq!(workload(&[]).name(), "mixed");
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for args in [
            ["--load", "0"],
            ["--load", "NaN"],
            ["--load", "-1"],
            ["--seconds", "-1"],
            ["--seconds", "NaN"],
            ["--seconds", "1e300"],
        ] {
            assert!(workload(&args).load(1, 2).is_err(), "{args:?}");
        }
    }
}
