// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgAction, Args, Parser, Subcommand};
use scx_alps::learn::{Change, LearnerConfig, Method, Objective};
use scx_alps::policies::{self, Policy};
use scx_utils::libbpf_clap_opts::LibbpfOpts;

use crate::bench;
use crate::control;
use crate::daemon::DaemonConfig;
use crate::engine::{self, EngineConfig, Queueing};
use crate::invoke::InvokeArgs;
use crate::learn_args::LearnArgs;
use crate::simulate;
use crate::traces::TraceArgs;
use crate::worker::{WorkerArgs, set};

/// Learning shortest-remaining-time scheduler for serverless functions.
///
/// Without a subcommand it runs the scheduler until it is interrupted: every
/// cgroup is a function, whose invocations are watched, learned from and
/// scheduled shortest expected remaining time first.
#[derive(Debug, Parser)]
#[command(
    name = "scx_alps",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    pub run: RunArgs,

    #[command(subcommand)]
    pub command: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Let the running daemon schedule.
    On(ControlArgs),
    /// Give the machine back to the kernel's own scheduler; the daemon goes on learning.
    Off(ControlArgs),
    /// Switch between the two.
    Toggle(ControlArgs),
    /// Say which scheduler is in force, and how the daemon is.
    Status(StatusArgs),
    /// Change how the running daemon learns; what is not given stays as it is.
    Set(SetArgs),
    /// Say what was learned of one function, in words and a picture.
    Explain(ExplainArgs),
    /// List the functions that are recognised, from where and how surely.
    Functions(FunctionsArgs),
    /// Print the policy table in force, or save it.
    Policy(PolicyArgs),
    /// Show the functions live: rates, waiting, what is predicted and enforced.
    Top(TopArgs),
    /// Replay a trace under the kernel's own scheduler and under ALPS, side by side.
    Bench(Box<Measure<bench::BenchArgs>>),
    /// Play a trace through in simulated time under any of many policies, side by side.
    Simulate(Box<simulate::SimulateArgs>),
    /// Measure what scheduling itself costs: pipe ping-pong and fork.
    BenchOverhead(Measure<bench::overhead::OverheadArgs>),
    /// Convert, describe and scale traces.
    Trace(Box<TraceArgs>),
    /// Run functions for requests over HTTP, as an OpenLambda worker does.
    Worker(WorkerArgs),
    /// Start a set of workers in the background, one port and function each.
    InitFunctions(set::InitArgs),
    /// Stop a set of workers and remove their configurations.
    DeleteFunctions(set::DeleteArgs),
    /// Send a trace's requests over HTTP when they are due.
    Invoke(Box<InvokeArgs>),
}

/// A measurement with a daemon of its own.
#[derive(Debug, Args)]
pub struct Measure<A: Args> {
    #[command(flatten)]
    pub args: A,

    /// Options for the daemon that is measured, after '--'.
    #[arg(last = true, value_name = "DAEMON OPTIONS")]
    pub daemon: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ControlArgs {
    /// The daemon's control socket.
    #[arg(long, value_name = "PATH", default_value = control::DEFAULT_SOCKET)]
    pub socket: PathBuf,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct TopArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// Time between two refreshes, such as 500ms.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = positive_duration)]
    pub interval: Duration,

    /// Print the table once and exit.
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// How the next CPU time is predicted: avg, LR, EWMA, RF or gittins.
    #[arg(long, value_name = "NAME")]
    ml: Option<Method>,

    /// What gittins keeps small: the mean response, or the mean slowdown.
    #[arg(long, value_name = "response|slowdown")]
    objective: Option<Objective>,

    /// Weight of the predicted slice.
    #[arg(long, allow_negative_numbers = true, value_parser = finite)]
    alpha: Option<f64>,

    /// Weight of the standard deviation taken off an unpredictable function's slice.
    #[arg(long, allow_negative_numbers = true, value_parser = finite)]
    beta: Option<f64>,

    /// CPU utilisation in percent from which on slices shrink.
    #[arg(long, allow_negative_numbers = true, value_parser = finite)]
    theta: Option<f64>,

    /// How gently slices shrink under overload.
    #[arg(long, allow_negative_numbers = true, value_parser = finite)]
    gamma: Option<f64>,

    /// Whether unpredictable functions' slices are tuned: on, or off as by the daemon's --unpred.
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    unpred: Option<bool>,

    /// Whether slices are tuned for overload: on, or off as by the daemon's --overload.
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    overload: Option<bool>,

    /// K: seconds of waiting that one second of expected remaining CPU time is worth.
    #[arg(short = 'k', long, value_name = "K", allow_negative_numbers = true, value_parser = finite)]
    bias_factor: Option<f64>,

    /// By how much K is multiplied on a machine that is busy all the time.
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = finite)]
    load_factor: Option<f64>,
}

impl SetArgs {
    /// What is to change.
    pub fn change(&self) -> Change {
        Change {
            ml: self.ml.map(|method| method.to_string()),
            objective: self.objective.map(|objective| objective.to_string()),
            alpha: self.alpha,
            beta: self.beta,
            theta: self.theta,
            gamma: self.gamma,
            unpred: self.unpred,
            overload: self.overload,
            bias_factor: self.bias_factor,
            load_factor: self.load_factor,
        }
    }
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// The function, by the name 'scx_alps top' shows.
    pub function: String,

    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct FunctionsArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// Look at this machine as a daemon would, without one.
    #[arg(long, conflicts_with = "socket")]
    pub offline: bool,

    /// The rules that such a daemon would have.
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub functions: Option<PathBuf>,

    /// The folder of OpenLambda's workers that it would have.
    #[arg(long, value_name = "DIR", requires = "offline")]
    pub openlambda: Option<PathBuf>,

    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    pub control: ControlArgs,

    /// Write it to a file as JSON, for 'scx_alps simulate --policy-table'; '-' is standard output.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Rules that say which cgroups and processes are which function (TOML); SIGHUP reads it again.
    #[arg(long, value_name = "FILE", help_heading = "Identify")]
    functions: Option<PathBuf>,

    /// A folder with a folder for each OpenLambda worker, whose config.json says which function
    /// its sandboxes run; watched for changes.
    #[arg(long, value_name = "DIR", help_heading = "Identify")]
    openlambda: Option<PathBuf>,

    /// A thread group that sleeps longer than this begins a new invocation when it wakes.
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = positive_duration, allow_negative_numbers = true, help_heading = "Observe")]
    idle_gap: Duration,

    /// In which order invocations run.
    #[arg(long, value_name = "NAME", default_value = "alps", value_parser = policy, hide_possible_values = true, long_help = policy_help(), help_heading = "Enforce")]
    policy: &'static dyn Policy,

    #[command(flatten)]
    learn: LearnArgs,

    /// What was learned, loaded at start and saved on exit.
    #[arg(long, value_name = "FILE", help_heading = "Learn")]
    state: Option<PathBuf>,

    /// Where each function's invocations, total and mean CPU time are written on exit (CSV).
    #[arg(
        long = "exp_result",
        alias = "exp-result",
        value_name = "FILE",
        help_heading = "Learn"
    )]
    exp_result: Option<OsString>,

    /// Slice of tasks whose function has none of its own.
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = slice, help_heading = "Enforce")]
    slice: Duration,

    /// How much better in rank a newcomer must be to preempt.
    #[arg(long, value_name = "TIME", default_value = "2ms", value_parser = preempt_margin, help_heading = "Enforce")]
    preempt_margin: Duration,

    /// By what in the kernel to schedule; default: sched_ext where the kernel has it, else
    /// the hooks in CFS.
    #[arg(long, value_enum, help_heading = "Enforce")]
    engine: Option<engine::Kind>,

    /// One queue per cache domain, or one per CPU.
    #[arg(long, value_enum, default_value = "llc", help_heading = "Enforce")]
    queues: Queueing,

    /// Schedule only tasks of the SCHED_EXT policy; before Linux 7 they get
    /// only the CPU time that others leave.
    #[arg(long, help_heading = "Enforce")]
    partial: bool,

    /// Do not favour tasks that are preempted in a system call.
    #[arg(long, help_heading = "Enforce")]
    no_grace: bool,

    /// Rank invocations by the CPU time told of them in the pinned map 'told',
    /// which 'scx_alps bench --oracle' fills.
    #[arg(long, hide = true, help_heading = "Enforce")]
    told: bool,

    /// Start with the kernel's own scheduler in force; 'scx_alps on' takes over.
    #[arg(long, help_heading = "Control")]
    off: bool,

    /// The control socket.
    #[arg(long, value_name = "PATH", default_value = control::DEFAULT_SOCKET, help_heading = "Control")]
    socket: PathBuf,

    /// Print statistics every so many seconds.
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "See")]
    stats: Option<Duration>,

    /// Print a running daemon's statistics every so many seconds, and schedule nothing.
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "See")]
    pub monitor: Option<Duration>,

    /// Describe the statistics.
    #[arg(long, help_heading = "See")]
    pub help_stats: bool,

    /// Size of the kernel's debug dump on an error, in bytes; 0 is the kernel's default.
    #[arg(long, value_name = "BYTES", default_value_t = 0, help_heading = "See")]
    exit_dump_len: u32,

    /// Say more; libbpf's messages too.
    #[arg(short, long, help_heading = "See")]
    pub verbose: bool,

    /// Print the version.
    #[arg(short = 'V', long, action = ArgAction::SetTrue, help_heading = "See")]
    pub version: bool,

    #[command(flatten, next_help_heading = "libbpf")]
    libbpf: LibbpfOpts,
}

impl RunArgs {
    /// The daemon's configuration; values that cannot work are refused here.
    pub fn into_config(self) -> Result<DaemonConfig> {
        let mut settings = self.learn.settings()?;
        settings.method = self.policy.method().unwrap_or(settings.method);
        Ok(DaemonConfig {
            engine: EngineConfig {
                kind: self.engine,
                idle_gap: self.idle_gap,
                default_slice: self.slice,
                max_bias: self.learn.max_bias,
                preempt_margin: self.preempt_margin,
                bias_factor: settings.bias_factor.get(),
                queueing: self.queues,
                partial: self.partial,
                grace: !self.no_grace,
                told: self.told,
                exit_dump_len: self.exit_dump_len,
                verbose: self.verbose,
                libbpf: self.libbpf,
            },
            learner: LearnerConfig {
                policy: self.policy,
                ..self.learn.config(&settings)
            },
            settings,
            functions: self.functions,
            openlambda: self.openlambda,
            state: self.state,
            // As in the published code, an empty name is none.
            exp_result: self
                .exp_result
                .filter(|file| !file.is_empty())
                .map(PathBuf::from),
            socket: self.socket,
            interval: self.learn.interval,
            enforce: !self.off,
            stats: self.stats,
        })
    }
}

fn policy(name: &str) -> Result<&'static dyn Policy, String> {
    policies::named(name)
        .ok_or_else(|| format!("there is no such policy; these are:\n{}", policies::list()))
}

fn policy_help() -> String {
    format!(
        "In which order invocations run, by a table made of the policy\n\n{}",
        policies::list()
    )
}

pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit, such as 10ms or 1s"))
}

pub fn positive_duration(text: &str) -> Result<Duration, String> {
    let value = duration(text)?;
    if value.is_zero() || value > Duration::from_secs(24 * 3600) {
        return Err("it must be above 0 and at most a day".to_owned());
    }
    Ok(value)
}

/// Also because the control socket's JSON has no other numbers.
fn finite(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "it must be a number")?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err("it must be a finite number".to_owned())
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it must be on or off".to_owned()),
    }
}

pub fn interval(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_millis(50), Duration::from_secs(60))
}

/// Shorter ones would be spent on switching, longer ones let nobody else run.
pub fn slice(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_micros(100), Duration::from_secs(1))
}

/// It is compared to differences of keys, which the largest bias bounds.
pub fn preempt_margin(text: &str) -> Result<Duration, String> {
    between(text, Duration::ZERO, Duration::from_secs(20))
}

/// A shorter window would be empty in most rounds.
pub fn window(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_secs(1), Duration::from_secs(24 * 3600))
}

fn between(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let value = duration(text)?;
    if value < least || value > most {
        let written = humantime::format_duration;
        return Err(format!(
            "it must be between {} and {}",
            written(least),
            written(most)
        ));
    }
    Ok(value)
}

/// The kernel throws out a scheduler that leaves a task waiting for 30 s.
pub fn max_bias(text: &str) -> Result<Duration, String> {
    let value = duration(text)?;
    if value.is_zero() || value > Duration::from_secs(20) {
        return Err("it must be above 0 and at most 20s".to_owned());
    }
    Ok(value)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let value: f64 = text.parse().map_err(|_| "it must be a number of seconds")?;
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|value| *value >= Duration::from_millis(100))
        .ok_or_else(|| "it must be at least 0.1 seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use scx_alps::learn::Settings;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn impossible_values_are_refused() {
        for args in [
            &["--idle-gap", "0s"][..],
            &["--idle-gap", "10"],
            &["--interval", "1us"],
            &["--max-bias", "1h"],
            &["--slice", "1d"],
            &["--slice", "1ns"],
            &["--preempt-margin", "1000years"],
            &["--window", "1ns"],
            &["--stats", "0"],
            &["--stats", "NaN"],
            &["--queues", "numa"],
            &["--ml", "svm"],
            &["--objective", "fame"],
            &["set", "--alpha", "NaN"],
            &["set", "--theta", "much"],
            &["set", "--unpred", "yes"],
            &["explain"],
        ] {
            let args = std::iter::once(&"scx_alps").chain(args);
            assert!(Cli::try_parse_from(args).is_err());
        }
        for args in [
            &["--bias-factor", "0"][..],
            &["--bias-factor", "inf"],
            &["--alpha", "-1"],
            &["--gamma", "0"],
            &["--theta", "NaN"],
            &["--load-factor", "-1"],
        ] {
            let cli = Cli::try_parse_from(std::iter::once(&"scx_alps").chain(args)).unwrap();
            assert!(cli.run.into_config().is_err(), "{args:?}");
        }
    }

    fn parsed(args: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"scx_alps").chain(args)).unwrap()
    }

    #[test]
    fn the_published_flags_have_their_published_meaning() {
        let flags = "--alpha 1.5 --beta 0.5 --theta 60 --gamma 2 --ml ewmv --unpred --overload \
                     --exp_result seals";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let config = parsed(&flags).run.into_config().unwrap();
        let settings = config.settings;
        assert_eq!(settings.method, Method::Ewma);
        let tuning = settings.tuning;
        let numbers = [
            tuning.alpha(),
            tuning.beta(),
            tuning.theta(),
            tuning.gamma(),
        ];
        assert_eq!(numbers, [1.5, 0.5, 60.0, 2.0]);
        assert!(!tuning.tunes_unpredictability() && !tuning.tunes_overload());
        assert_eq!(config.exp_result, Some(PathBuf::from("seals")));
    }

    #[test]
    fn by_default_all_is_as_the_library_has_it() {
        let config = parsed(&[]).run.into_config().unwrap();
        assert_eq!(config.settings, Settings::default());
        let none = parsed(&["--exp_result", ""]).run.into_config().unwrap();
        assert_eq!(none.exp_result, None);
    }

    #[test]
    fn set_changes_what_is_given_and_nothing_else() {
        let args = "set --ml Gittins --alpha 1.5 --bias-factor 8 --overload off";
        let args: Vec<&str> = args.split_whitespace().collect();
        let Some(Subcommands::Set(set)) = parsed(&args).command else {
            panic!("not taken for 'set'");
        };
        let expected = Change {
            ml: Some("gittins".to_owned()),
            alpha: Some(1.5),
            bias_factor: Some(8.0),
            overload: Some(false),
            ..Change::default()
        };
        assert_eq!(set.change(), expected);
    }
}
