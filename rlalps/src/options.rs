// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};
use scx_alps::learn::{BiasFactor, Method, Objective};
use scx_alps::policies::{self, Policy};
use scx_utils::libbpf_clap_opts::LibbpfOpts;

/// The policies of scx_alps in user space, to experiment with.
///
/// Every task that finds no idle CPU is handed to this program, which asks the
/// policy for its place. What is known of functions comes from a file that
/// 'scx_alps --state FILE' has saved.
#[derive(Debug, Parser)]
#[command(name = "scx_rlalps", disable_version_flag = true, max_term_width = 100)]
pub struct Options {
    /// In which order invocations run.
    #[arg(long, value_name = "NAME", default_value = "alps", value_parser = policy, long_help = policy_help())]
    pub policy: &'static dyn Policy,

    /// What scx_alps has learned; without it tasks go by their own recent bursts.
    #[arg(long, value_name = "FILE", help_heading = "Know")]
    pub state: Option<PathBuf>,

    /// How CPU times are predicted, where the policy has no method of its own:
    /// avg, LR, EWMA, RF or gittins.
    #[arg(long, value_name = "NAME", default_value_t = Method::default(), help_heading = "Know")]
    pub ml: Method,

    /// What gittins keeps small: the mean response, or the mean slowdown.
    #[arg(long, value_name = "response|slowdown", default_value_t = Objective::default(), help_heading = "Know")]
    pub objective: Objective,

    /// A task that sleeps longer than this begins a new invocation when it wakes.
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = positive_duration, help_heading = "Know")]
    pub idle_gap: Duration,

    /// K: seconds of waiting that one second of the policy's distance is worth.
    #[arg(short = 'k', long, value_name = "K", default_value = "16", value_parser = bias_factor, allow_negative_numbers = true, help_heading = "Enforce")]
    pub bias_factor: BiasFactor,

    /// No bias exceeds this.
    #[arg(long, value_name = "TIME", default_value = "16s", value_parser = positive_duration, help_heading = "Enforce")]
    pub max_bias: Duration,

    /// How long a task runs at least before another may take its CPU, where
    /// the policy does not say.
    #[arg(long, value_name = "TIME", default_value = "1us", value_parser = positive_duration, help_heading = "Enforce")]
    pub slice: Duration,

    /// How much better in rank a newcomer must be to preempt on another CPU.
    #[arg(long, value_name = "TIME", default_value = "2ms", value_parser = positive_duration, help_heading = "Enforce")]
    pub preempt_margin: Duration,

    /// Do not preempt: newcomers wait for a tick of the kernel.
    #[arg(long, help_heading = "Enforce")]
    pub no_preempt: bool,

    /// Schedule only tasks of the SCHED_EXT policy; before Linux 7 they get
    /// only the CPU time that others leave.
    #[arg(long, help_heading = "Enforce")]
    pub partial: bool,

    /// Print statistics every so many seconds.
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "See")]
    pub stats: Option<Duration>,

    /// Print a running scheduler's statistics every so many seconds, and schedule nothing.
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "See")]
    pub monitor: Option<Duration>,

    /// Describe the statistics.
    #[arg(long, help_heading = "See")]
    pub help_stats: bool,

    /// Size of the kernel's debug dump on an error, in bytes; 0 is the kernel's default.
    #[arg(long, value_name = "BYTES", default_value_t = 0, help_heading = "See")]
    pub exit_dump_len: u32,

    /// Say more; libbpf's messages too.
    #[arg(short, long, help_heading = "See")]
    pub verbose: bool,

    /// Print the version.
    #[arg(short = 'V', long, action = ArgAction::SetTrue, help_heading = "See")]
    pub version: bool,

    #[command(flatten, next_help_heading = "libbpf")]
    pub libbpf: LibbpfOpts,
}

fn policy(name: &str) -> Result<&'static dyn Policy, String> {
    policies::named(name)
        .ok_or_else(|| format!("there is no such policy; these are:\n{}", policies::list()))
}

fn policy_help() -> String {
    format!("In which order invocations run\n\n{}", policies::list())
}

fn bias_factor(text: &str) -> Result<BiasFactor, String> {
    let factor: f64 = text.parse().map_err(|_| "it must be a number")?;
    BiasFactor::new(factor).map_err(|error| error.to_string())
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    let value = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit, such as 10ms or 1s"))?;
    if value.is_zero() || value > Duration::from_secs(24 * 3600) {
        return Err("it must be above 0 and at most a day".to_owned());
    }
    Ok(value)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number of seconds")?;
    if (0.001..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it must be between 0.001 and 86400 seconds".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_values_are_refused() {
        for args in [
            ["--policy", "cfs"],
            ["--bias-factor", "0"],
            ["--bias-factor", "NaN"],
            ["--slice", "0s"],
            ["--slice", "5"],
            ["--idle-gap", "2days"],
            ["--stats", "-1"],
            ["--monitor", "inf"],
            ["--ml", "svm"],
        ] {
            let args = ["scx_rlalps"].iter().chain(&args);
            assert!(Options::try_parse_from(args.clone()).is_err(), "{args:?}");
        }
        let options = Options::try_parse_from(["scx_rlalps", "--policy", "las"]).unwrap();
        assert_eq!(options.policy.name(), "las");
    }
}
