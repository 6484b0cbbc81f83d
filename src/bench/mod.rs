// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps bench`: the kernel's scheduler and ALPS on the same load, run as
//! real processes, in one run and side by side.

mod cgroups;
pub mod child;
mod clock;
mod generator;
mod host;
mod interrupt;
pub mod overhead;
mod process;
mod quiet;
mod results;
mod round;
mod shared;
mod slot;
mod toggle;
mod worker;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use scx_alps::report::comparison::Pair;
use scx_alps::report::{Comparison, Distribution};

use crate::workload::WorkloadArgs;

use cgroups::{Cgroups, Layout};
use host::Host;
use interrupt::Interrupt;
use results::Conditions;
use round::Round;
pub use toggle::{Scheduler, Toggle};

/// Between a switch of schedulers and the load: enough for ALPS to publish
/// what it has learned.
const SETTLE: Duration = Duration::from_secs(2);

/// Compare the kernel's scheduler and ALPS on the same load.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    #[command(flatten)]
    pub workload: WorkloadArgs,

    /// A trace for each seed, run once under each scheduler
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    pub seeds: Vec<u64>,

    /// CPUs the load is meant for [default: all that are online]
    #[arg(long)]
    pub cpus: Option<u32>,

    /// How functions are laid out in cgroups
    #[arg(long, value_enum, default_value_t = Layout::PerFunction)]
    pub layout: Layout,

    /// Cgroup to create for the load, relative to the root of all cgroups
    #[arg(long, value_name = "PATH", default_value = "scx_alps-bench")]
    pub cgroup: PathBuf,

    /// How long a round may go on after its last request
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub drain_seconds: f64,

    /// Folder to write invocations.csv and summary.json to
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs the comparison and prints it.
///
/// Each seed's trace runs under the kernel's scheduler first: that is the
/// baseline, and what ALPS learns from.
///
/// # Errors
/// When a round could not be run. Rounds that ran but should not be trusted
/// are only marked so.
pub fn run(args: &BenchArgs, toggle: &mut dyn Toggle) -> Result<()> {
    let host = Host::this()?;
    let cpus = args.cpus.unwrap_or(host.cpus);
    let drain = seconds("--drain-seconds", args.drain_seconds)?;
    let traces = args.workload.load_all(&args.seeds, cpus)?;
    let Some((_, first)) = traces.first() else {
        bail!("no trace to run; pass --seeds 1");
    };
    let trace_name = args.workload.name();
    let conditions = Conditions {
        kernel_scheduler: host.kernel_scheduler(),
        trace: &trace_name,
        layout: args.layout.name(),
        load: first.load(cpus),
        cpus,
        seconds: first.duration_ns as f64 / clock::NS_PER_S as f64,
        host: &host,
    };

    let interrupt = Interrupt::catch()?;
    let cgroups = Cgroups::create(args.layout, &args.cgroup, &first.functions)?;
    let mut rounds = Vec::new();
    for (seed, trace) in &traces {
        for scheduler in Scheduler::ALL {
            scheduler.take_over(toggle)?;
            quiet::settle(SETTLE, interrupt.raised())?;
            eprintln!(
                "seed {seed}, {}: {} requests in {:.1} s",
                name(scheduler, &conditions),
                trace.requests.len(),
                trace.duration_ns as f64 / clock::NS_PER_S as f64,
            );
            rounds.push(Round::run(
                trace,
                &cgroups,
                *seed,
                scheduler,
                drain,
                interrupt.raised(),
            )?);
        }
    }
    toggle.kernel()?;
    drop(cgroups);

    let comparison = compare(&rounds, &conditions, &first.functions);
    print(args.layout, &conditions, &rounds, &comparison)?;
    if let Some(dir) = &args.out {
        results::write(dir, &conditions, &rounds, &comparison)?;
        eprintln!("written to {}", dir.display());
    }
    Ok(())
}

fn seconds(option: &str, value: f64) -> Result<Duration> {
    const LONGEST: f64 = 1e6;
    ensure!(
        (0.0..=LONGEST).contains(&value),
        "{option} {value} is no duration; pass 0 to {LONGEST:.0}"
    );
    Ok(Duration::from_secs_f64(value))
}

fn name(scheduler: Scheduler, conditions: &Conditions) -> &'static str {
    match scheduler {
        Scheduler::Kernel => conditions.kernel_scheduler,
        Scheduler::Alps => "ALPS",
    }
}

fn compare(rounds: &[Round], conditions: &Conditions, functions: &[String]) -> Comparison {
    let pairs = rounds.chunks_exact(Scheduler::ALL.len()).map(|rounds| {
        let of = |scheduler| {
            let rounds = rounds.iter().filter(|r| r.scheduler == scheduler);
            rounds.flat_map(|r| r.outcomes.iter().copied()).collect()
        };
        Pair {
            label: format!("seed {}", rounds[0].seed),
            baseline: of(Scheduler::Kernel),
            candidate: of(Scheduler::Alps),
        }
    });
    Comparison {
        baseline: name(Scheduler::Kernel, conditions).into(),
        candidate: name(Scheduler::Alps, conditions).into(),
        functions: functions.to_vec(),
        pairs: pairs.collect(),
    }
}

fn print(
    layout: Layout,
    conditions: &Conditions,
    rounds: &[Round],
    comparison: &Comparison,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} trace, load {:.2} on {} CPUs, {:.1} s, Linux {}",
        conditions.trace,
        conditions.load,
        conditions.cpus,
        conditions.seconds,
        conditions.host.kernel_release,
    )?;
    writeln!(out, "layout {}: {}", layout.name(), layout.meaning())?;
    let worst = |value: fn(&Round) -> Distribution, of: fn(&Distribution) -> f64| {
        let values = rounds.iter().map(|r| of(&value(r)));
        values.fold(0.0, f64::max)
    };
    writeln!(
        out,
        "generator: {:.3} ms late on average, {:.2} ms at most; {:.3} ms to fork",
        worst(|r| r.lateness_ms, |d| d.mean),
        worst(|r| r.lateness_ms, |d| d.max),
        worst(|r| r.launch_ms, |d| d.mean),
    )?;
    writeln!(out, "\n{}", comparison.overall_table())?;
    writeln!(out, "{}", comparison.function_table())?;
    for round in rounds {
        for doubt in &round.doubts {
            writeln!(
                out,
                "INVALID: seed {}, {}: {doubt}",
                round.seed,
                name(round.scheduler, conditions)
            )?;
        }
    }
    Ok(())
}
