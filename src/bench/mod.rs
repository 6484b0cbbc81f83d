// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps bench`: the kernel's scheduler, ALPS and others on the same
//! load, run as real processes, in one run and side by side.

mod bound;
pub mod cgroups;
mod child;
pub mod clock;
mod command_line;
mod contest;
mod entrant;
mod futex;
mod generator;
mod heap;
pub mod host;
mod in_charge;
pub mod interrupt;
mod offer;
pub mod overhead;
mod pauses;
mod plan;
mod platform;
mod practice;
pub mod preflight;
pub mod process;
mod progress;
mod quiet;
mod round;
mod say;
pub mod sched_ext;
mod server;
pub mod service;
mod shared;
mod slot;
mod toggle;
mod told;
pub mod worker;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use scx_alps::report::{Conditions, Contender, Round, Run, Setting, text};
use scx_alps::trace::Trace;

use cgroups::Layout;
pub use child::with_daemon_on_demand;
use clock::NS_PER_S;
use command_line::CommandLine;
use contest::{Contest, Results};
use entrant::{Builtin, Entrant};
use host::Host;
use interrupt::Interrupt;
use offer::Offer;
use pauses::Pauses;
use plan::{Field, plan};
use practice::Practice;
use say::say;

use crate::workload::WorkloadArgs;
use crate::{results, status};

/// Compare the kernel's scheduler, ALPS and others on the same load.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    #[command(flatten)]
    pub workload: WorkloadArgs,

    /// A trace for each seed
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    pub seeds: Vec<u64>,

    /// CPUs the load is meant for [default: all that may be used]
    #[arg(long)]
    pub cpus: Option<u32>,

    /// Who takes part; the first is what the others are compared with
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "WHO",
        default_value = "kernel,warm,cold",
        help_heading = "Schedulers"
    )]
    pub schedulers: Vec<Builtin>,

    /// Another scheduler, by its command line; may be repeated
    #[arg(long, value_name = "COMMAND", help_heading = "Schedulers")]
    pub versus: Vec<CommandLine>,

    /// ALPS told each invocation's true CPU time: the best any learner can reach
    #[arg(long, help_heading = "Schedulers")]
    pub oracle: bool,

    /// How often each trace is run under each scheduler
    #[arg(long, value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Schedulers")]
    pub rounds: u32,

    /// How functions are laid out in cgroups: one or more, each with rounds of its own
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "LAYOUT",
        default_value = "per-function",
        help_heading = "Invocations"
    )]
    pub layout: Vec<Layout>,

    /// Long-lived processes take the requests, instead of one for each
    #[arg(long, help_heading = "Invocations")]
    pub server: bool,

    /// Requests go over HTTP to a worker of our own, so that the whole path is
    /// measured; the load's CPU times are those of the functions alone
    #[arg(
        long,
        conflicts_with_all = ["server", "io", "oracle"],
        help_heading = "Invocations"
    )]
    pub http: bool,

    /// The share of invocations that sleep once in the middle, as for I/O, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share,
          help_heading = "Invocations")]
    pub io: f64,

    /// How long those sleep
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = pause,
          help_heading = "Invocations")]
    pub io_pause: Duration,

    /// Cgroup to create for the load, relative to the root of all cgroups
    #[arg(long, value_name = "PATH", default_value = "scx_alps-bench")]
    pub cgroup: PathBuf,

    /// How long a round may go on after its last request
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = drain)]
    pub drain: Duration,

    /// Folder to write report.html, its plots, summary.json and invocations.csv to
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs the comparison and prints it; `daemon` are options for ALPS's daemon.
///
/// # Errors
/// When it cannot be run, before anything is started where that can be told.
/// When a round could not be run; those before it are printed all the same.
/// Rounds that ran but should not be trusted are only marked so.
pub fn run(args: &BenchArgs, daemon: &[String]) -> Result<()> {
    heap::gather();
    let host = Host::this()?;
    let cpus = preflight::cpus(args.cpus, &host)?;
    let entrants = Entrant::all(&args.schedulers, args.oracle, args.versus.len());
    let (offers, practice) = offers(args, cpus)?;
    let Some(first) = offers.first().map(|offer| &offer.trace) else {
        bail!("no trace to run; pass --seeds 1");
    };
    preflight::schedulers(&entrants, &args.versus)?;
    if let Some(dir) = &args.out {
        preflight::output(dir)?;
    }
    let interrupt = Interrupt::catch()?;
    preflight::layouts(&args.layout, &args.cgroup, &first.functions)?;

    let contest = Contest {
        layouts: &args.layout,
        cgroup: args.cgroup.clone(),
        cpus,
        server: args.server,
        http: args.http,
        versus: &args.versus,
        daemon,
        kernel_scheduler: host.kernel_scheduler(),
        drain: args.drain,
        interrupted: interrupt.raised(),
    };
    let steps = plan(&Field {
        layouts: &args.layout,
        entrants: &entrants,
        traces: offers.len(),
        passes: args.rounds,
        same_functions: practice.is_shared(),
    });
    let mut results = Results::default();
    let ended = contest.run(&steps, &offers, &practice, &mut results);
    if results.rounds.is_empty() {
        return ended;
    }

    let bound = Contender::new("SRPT simulated");
    for setting in 0..args.layout.len() {
        results.rounds.extend(
            offers
                .iter()
                .map(|offer| Round::new(setting, bound.clone(), offer.seed, offer.bound(cpus))),
        );
    }
    let run = Run {
        conditions: Conditions {
            version: format!("scx_alps {}", status::version()),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            machine: Some(host.machine()),
        },
        settings: settings(args, cpus, first, &practice),
        rounds: results.rounds,
        bound: Some(if args.oracle {
            contest.name(Entrant::Oracle)
        } else {
            bound
        }),
    };
    let mut out = io::stdout().lock();
    write!(out, "{}", text::report(&run))?;
    if let Some(cost) = results.daemon {
        writeln!(
            out,
            "daemon: {:.2} % of one CPU, {:.1} MiB resident",
            100.0 * cost.cpu_share,
            cost.resident_kib as f64 / 1024.0
        )?;
    }
    if let Some(dir) = &args.out {
        results::write(dir, &run)?;
        say(format_args!("written to {}", dir.display()));
    }
    ended
}

/// What is to be measured, and what ALPS is to learn from beforehand.
fn offers(args: &BenchArgs, cpus: u32) -> Result<(Vec<Offer>, Practice)> {
    let pauses = Pauses {
        share: args.io,
        pause: args.io_pause,
    };
    let mut seeds = args.seeds.clone();
    let unused = seeds.iter().max().map_or(0, |seed| seed.wrapping_add(1));
    seeds.push(unused);
    let traces = args.workload.load_all(&seeds, cpus)?.into_iter();
    let mut offers: Vec<Offer> = traces
        .map(|(seed, trace)| Offer::new(seed, trace, &pauses))
        .collect();
    let Some(unused) = offers.pop() else {
        bail!("no trace to run; pass --seeds 1");
    };
    let practice = Practice::of(unused, &offers);
    Ok((offers, practice))
}

/// One for each layout.
fn settings(args: &BenchArgs, cpus: u32, trace: &Trace, practice: &Practice) -> Vec<Setting> {
    let mut manner = String::new();
    if args.server {
        manner += "; long-lived servers";
    }
    if args.http {
        manner += "; over HTTP, through a worker";
    }
    if args.io > 0.0 {
        manner += &format!(
            "; {:.0} % of invocations pause for {}",
            100.0 * args.io,
            humantime::format_duration(args.io_pause)
        );
    }
    if args.schedulers.contains(&Builtin::Warm) && !practice.is_shared() {
        manner += "; warm has learned from the very same requests";
    }
    let setting = |layout: &Layout| Setting {
        trace: args.workload.name(),
        layout: format!("{}{manner}", layout.meaning()),
        load: trace.load(cpus),
        cpus,
        seconds: trace.duration_ns as f64 / NS_PER_S as f64,
        functions: trace.functions.clone(),
    };
    args.layout.iter().map(setting).collect()
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it must be a number")?;
    if !(0.0..=1.0).contains(&share) {
        return Err("it must be between 0 and 1".to_owned());
    }
    Ok(share)
}

fn pause(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(60))
}

fn drain(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(24 * 3600))
}

fn duration(text: &str, longest: Duration) -> Result<Duration, String> {
    let value = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number with a unit, such as 10ms or 1s"))?;
    if value > longest {
        return Err(format!(
            "it must be at most {}",
            humantime::format_duration(longest)
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn parse(args: &[&str]) -> Result<BenchArgs, clap::Error> {
        let args = std::iter::once(&"bench").chain(args);
        Command::try_parse_from(args).map(|command| command.bench)
    }

    #[test]
    fn impossible_values_are_refused() {
        for args in [
            ["--io", "1.5"],
            ["--io", "NaN"],
            ["--io-pause", "5"],
            ["--io-pause", "2h"],
            ["--rounds", "0"],
            ["--schedulers", "cfs"],
            ["--layout", "flat,round"],
            ["--versus", "'"],
            ["--drain", "soon"],
            ["--seeds", "one"],
            ["--http", "--server"],
            ["--http", "--oracle"],
        ] {
            assert!(parse(&args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn both_baselines_in_one_run() {
        let args = parse(&["--layout", "per-function,flat", "--server"]).unwrap();
        let trace = args.workload.load(1, 2).unwrap();
        let settings = settings(&args, 2, &trace, &Practice::Same);
        assert_eq!(settings.len(), 2);
        assert_ne!(settings[0].layout, settings[1].layout);
        assert!(settings.iter().all(|s| s.layout.contains("servers")));
    }

    #[test]
    fn what_is_learned_beforehand_is_not_what_is_measured() {
        let args = parse(&["--seeds", "1,5"]).unwrap();
        let (offers, practice) = offers(&args, 2).unwrap();
        assert_eq!(offers.len(), 2);
        assert!(practice.is_shared());
    }
}
