// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps bench overhead`: what a scheduler's own work costs, measured
//! where there is little else: waking, switching, forking.

mod fork_exit;
mod ping_pong;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use scx_alps::report::Table;
use scx_alps::report::table::ratio;

use super::host::Host;
use super::interrupt::Interrupt;
use super::process::{Child, errno};
use super::quiet;
use super::toggle::{Scheduler, Toggle};

/// How long one waits before looking for an interruption.
const PATIENCE: Duration = Duration::from_millis(500);

/// Between a switch of schedulers and the first benchmark.
const SETTLE: Duration = Duration::from_secs(1);

/// Compare what wake-ups, switches and forks cost under both schedulers.
#[derive(Args, Clone, Debug)]
pub struct OverheadArgs {
    /// Round trips of the ping-pong between two processes
    #[arg(long, default_value_t = 10_000)]
    pub round_trips: u64,

    /// Processes to fork, one after the other
    #[arg(long, default_value_t = 1_000)]
    pub forks: u64,

    /// Times to run each; the median counts
    #[arg(long, default_value_t = 3)]
    pub repeat: usize,

    /// Measure the kernel's own scheduler only, on any kernel
    #[arg(long)]
    pub kernel_only: bool,
}

/// What there is to measure.
#[derive(Clone, Copy)]
enum Kind {
    PingPong,
    ForkExit,
}

/// The cost of one operation.
#[derive(Clone, Copy, Debug)]
struct Cost {
    elapsed_ns: f64,
    /// CPU time of all processes taking part, wherever they ran.
    cpu_ns: f64,
}

/// What all operations of a benchmark took together.
struct Total {
    elapsed_ns: u64,
    cpu_ns: u64,
}

/// Runs the benchmarks under both schedulers and prints what they cost.
pub fn run(args: &OverheadArgs, toggle: &mut dyn Toggle) -> Result<()> {
    ensure!(
        args.round_trips > 0 && args.forks > 0 && args.repeat > 0,
        "--round-trips, --forks and --repeat must be at least 1"
    );
    let host = Host::this()?;
    let interrupt = Interrupt::catch()?;
    let benchmarks = [
        (
            "ping-pong on one CPU",
            Kind::PingPong,
            args.round_trips,
            true,
        ),
        (
            "ping-pong anywhere",
            Kind::PingPong,
            args.round_trips,
            false,
        ),
        ("fork and exit on one CPU", Kind::ForkExit, args.forks, true),
        ("fork and exit anywhere", Kind::ForkExit, args.forks, false),
    ];

    let schedulers = if args.kernel_only {
        &[Scheduler::Kernel][..]
    } else {
        &Scheduler::ALL
    };
    let mut runners = Vec::new();
    for _ in schedulers {
        for (_, kind, operations, pinned) in benchmarks {
            for _ in 0..args.repeat {
                runners.push(Runner::start(kind, operations, pinned)?);
            }
        }
    }
    let mut runners = runners.iter_mut();
    let mut costs = Vec::new();
    for scheduler in schedulers {
        scheduler.take_over(toggle)?;
        quiet::settle(SETTLE, interrupt.raised())?;
        for _ in benchmarks {
            let mut runs = Vec::new();
            for runner in runners.by_ref().take(args.repeat) {
                runs.push(runner.run(interrupt.raised())?);
            }
            costs.push(median(&runs));
        }
    }
    toggle.kernel()?;

    let names = benchmarks.map(|(name, ..)| name);
    let table = table(&names, host.kernel_scheduler(), &costs);
    writeln!(
        io::stdout().lock(),
        "Linux {}, {} CPUs; median of {}\n\n{table}\n\
         In virtual time (vm/run --virtual-time) a ns is one instruction, of all CPUs together.",
        host.kernel_release,
        host.cpus,
        args.repeat
    )?;
    Ok(())
}

/// What each benchmark costs under the kernel's scheduler and, where that was
/// measured, under ALPS; those of the first come first.
fn table(names: &[&str], kernel: &str, costs: &[Cost]) -> Table {
    let (old, new) = costs.split_at(names.len());
    let mut table = Table::new(1);
    if new.is_empty() {
        table.row(["ns per operation", "elapsed", "CPU time"]);
        for (name, old) in names.iter().zip(old) {
            let cost = |ns: f64| format!("{ns:.0}");
            table.row([name.to_string(), cost(old.elapsed_ns), cost(old.cpu_ns)]);
        }
        return table;
    }
    table.row(["ns per operation", "elapsed", "", "", "CPU time", "", ""]);
    table.row(["", kernel, "ALPS", "ratio", kernel, "ALPS", "ratio"]);
    for (name, (old, new)) in names.iter().zip(old.iter().zip(new)) {
        let mut cells = vec![name.to_string()];
        for (old, new) in [(old.elapsed_ns, new.elapsed_ns), (old.cpu_ns, new.cpu_ns)] {
            cells.extend([format!("{old:.0}"), format!("{new:.0}"), ratio(old, new)]);
        }
        table.row(cells);
    }
    table
}

/// A process that runs a benchmark when told to.
///
/// All are forked before the first scheduler takes over and live until the
/// last has been measured: what a fork has to do depends on what is mapped
/// into the process, and on how many others map the same files.
struct Runner {
    operations: u64,
    line: UnixStream,
    _process: Child,
}

impl Runner {
    fn start(kind: Kind, operations: u64, pinned: bool) -> Result<Self> {
        let (line, mut other_end) = UnixStream::pair().context("cannot make a pair of sockets")?;
        line.set_read_timeout(Some(PATIENCE))?;
        let process = Child::fork(move || {
            let mut word = [0];
            if other_end.read_exact(&mut word).is_err() {
                return;
            }
            let pin = if pinned { pin_to_one_cpu() } else { Ok(()) };
            let total = pin.and_then(|()| match kind {
                Kind::PingPong => ping_pong::run(operations),
                Kind::ForkExit => fork_exit::run(operations),
            });
            let answer = match total {
                Ok(total) => [total.elapsed_ns, total.cpu_ns, 0],
                Err(number) => [0, 0, number as u64],
            };
            let told = other_end.write_all(answer.map(u64::to_ne_bytes).as_flattened());
            // Until it is killed.
            let _ = told.and_then(|()| other_end.read_exact(&mut word));
        })?;
        Ok(Self {
            operations,
            line,
            _process: process,
        })
    }

    fn run(&mut self, interrupted: &AtomicBool) -> Result<Cost> {
        self.line.write_all(&[0])?;
        let mut answer = [[0; 8]; 3];
        while let Err(error) = self.line.read_exact(answer.as_flattened_mut()) {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error).context("the process of a benchmark ended early");
            }
            if interrupted.load(Relaxed) {
                bail!("interrupted");
            }
        }
        let [elapsed_ns, cpu_ns, errno] = answer.map(u64::from_ne_bytes);
        if errno != 0 {
            let error = io::Error::from_raw_os_error(i32::try_from(errno)?);
            return Err(error).context("a benchmark failed");
        }
        let per_operation = |total_ns: u64| total_ns as f64 / self.operations as f64;
        Ok(Cost {
            elapsed_ns: per_operation(elapsed_ns),
            cpu_ns: per_operation(cpu_ns),
        })
    }
}

/// Keeps this process, and those it forks, on the first CPU it may use.
fn pin_to_one_cpu() -> Result<(), i32> {
    // SAFETY: all-zero is the empty set.
    let (mut allowed, mut one): (libc::cpu_set_t, libc::cpu_set_t) = unsafe { std::mem::zeroed() };
    // SAFETY: the sets are valid and as large as said; the bits looked at are
    // within.
    unsafe {
        let size = size_of::<libc::cpu_set_t>();
        if libc::sched_getaffinity(0, size, &mut allowed) != 0 {
            return Err(errno());
        }
        let cpu = (0..libc::CPU_SETSIZE as usize).find(|&cpu| libc::CPU_ISSET(cpu, &allowed));
        libc::CPU_SET(cpu.unwrap_or(0), &mut one);
        match libc::sched_setaffinity(0, size, &one) {
            0 => Ok(()),
            _ => Err(errno()),
        }
    }
}

/// The cost in the middle, elapsed and CPU time each by itself.
fn median(runs: &[Cost]) -> Cost {
    let middle = |value: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    Cost {
        elapsed_ns: middle(|cost| cost.elapsed_ns),
        cpu_ns: middle(|cost| cost.cpu_ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_measure_something() {
        let interrupted = AtomicBool::new(false);
        for (kind, pinned) in [
            (Kind::PingPong, true),
            (Kind::PingPong, false),
            (Kind::ForkExit, true),
        ] {
            let mut runner = Runner::start(kind, 50, pinned).unwrap();
            let cost = runner.run(&interrupted).unwrap();
            assert!(cost.elapsed_ns > 0.0 && cost.cpu_ns > 0.0, "{cost:?}");
        }
    }

    #[test]
    fn median_of_runs() {
        let cost = |elapsed_ns, cpu_ns| Cost { elapsed_ns, cpu_ns };
        let median = median(&[cost(1.0, 9.0), cost(5.0, 2.0), cost(3.0, 4.0)]);
        assert_eq!((median.elapsed_ns, median.cpu_ns), (3.0, 4.0));
    }
}
