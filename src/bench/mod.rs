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
mod round;
mod shared;
mod slot;
mod toggle;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use scx_alps::report::{Conditions, Contender, Run, Setting, text};

use cgroups::{Cgroups, Layout};
use host::Host;
use interrupt::Interrupt;
pub use toggle::{Scheduler, Toggle};

use crate::workload::WorkloadArgs;
use crate::{results, status};

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

    /// Folder to write summary.json and invocations.csv to
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
    let setting = Setting {
        trace: args.workload.name(),
        layout: args.layout.meaning().into(),
        load: first.load(cpus),
        cpus,
        seconds: first.duration_ns as f64 / clock::NS_PER_S as f64,
        functions: first.functions.clone(),
    };

    let interrupt = Interrupt::catch()?;
    let cgroups = Cgroups::create(args.layout, &args.cgroup, &first.functions)?;
    let begin_ns = clock::now_ns(clock::MONOTONIC);
    let mut rounds = Vec::new();
    for (seed, trace) in &traces {
        for scheduler in Scheduler::ALL {
            scheduler.take_over(toggle)?;
            quiet::settle(SETTLE, interrupt.raised())?;
            let contender = contender(scheduler, &host);
            eprintln!(
                "seed {seed}, {contender}: {} requests in {:.1} s",
                trace.requests.len(),
                trace.duration_ns as f64 / clock::NS_PER_S as f64,
            );
            let cost = Cost::begin(toggle);
            let mut round =
                round::run(trace, &cgroups, *seed, contender, drain, interrupt.raised())?;
            round.scheduler_cpu_percent = cost.end(toggle);
            round.start_ns = round.start_ns.map(|ns| ns.saturating_sub(begin_ns));
            rounds.push(round);
        }
    }
    toggle.kernel()?;
    drop(cgroups);

    let run = Run {
        conditions: Conditions {
            version: format!("scx_alps {}", status::version()),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            machine: Some(host.machine()),
        },
        settings: vec![setting],
        rounds,
        bound: None,
    };
    print!("{}", text::report(&run));
    if let Some(dir) = &args.out {
        results::write(dir, &run)?;
        eprintln!("written to {}", dir.display());
    }
    Ok(())
}

/// CPU time of the scheduler's own process over a round.
struct Cost {
    begin: Instant,
    used: Option<Duration>,
}

impl Cost {
    fn begin(toggle: &dyn Toggle) -> Self {
        Self {
            begin: Instant::now(),
            used: toggle.cpu_time(),
        }
    }

    /// In percent of one CPU.
    fn end(&self, toggle: &dyn Toggle) -> Option<f64> {
        let used = toggle.cpu_time()?.checked_sub(self.used?)?;
        Some(100.0 * used.as_secs_f64() / self.begin.elapsed().as_secs_f64())
    }
}

fn contender(scheduler: Scheduler, host: &Host) -> Contender {
    match scheduler {
        Scheduler::Kernel => Contender::new(host.kernel_scheduler()),
        Scheduler::Alps => Contender::warm("ALPS"),
    }
}

fn seconds(option: &str, value: f64) -> Result<Duration> {
    const LONGEST: f64 = 1e6;
    ensure!(
        (0.0..=LONGEST).contains(&value),
        "{option} {value} is no duration; pass 0 to {LONGEST:.0}"
    );
    Ok(Duration::from_secs_f64(value))
}
