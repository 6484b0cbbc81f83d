// SPDX-License-Identifier: GPL-2.0-only
//! However many short invocations come, a long one runs again in time.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, thread_cpu};
use crate::counters;
use crate::daemon::Daemon;
use crate::known;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};
use crate::stream::{Arrivals, Entry, Stream};

/// The longest wait that the options promise.
const PROMISED: Duration = Duration::from_secs(2);
const OPTIONS: &[&str] = &["-k", "4", "--max-bias", "2s", "--interval", "100ms"];

/// For slices, and for a host that is busy itself.
const SLACK: Duration = Duration::from_millis(800);

/// A long task that waits no longer than this is not under pressure.
const PRESSED: Duration = Duration::from_millis(200);

const WATCHED: Duration = Duration::from_secs(8);

/// What a short one needs.
const SHORT: Duration = Duration::from_millis(20);

/// What the long function is known to need: it must have had it by then.
const NEEDED: Duration = Duration::from_millis(400);

/// The long task is ranked 20 s behind; only the rescue queue saves it sooner.
const WITHOUT_END: &[&str] = &["-k", "100", "--max-bias", "20s", "--interval", "100ms"];

/// When it does (`rescue_after_ns` in src/bpf/rescue.bpf.h).
const RESCUED_AFTER: Duration = Duration::from_secs(5);

pub const SCENARIO: Scenario = Scenario {
    name: "starvation",
    title: "a long invocation runs in time under a stream of short ones",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

pub const RESCUE: Scenario = Scenario {
    name: "rescue",
    title: "a task that its rank would leave waiting is rescued",
    machine: Machine::Exact,
    limit: Duration::from_secs(90),
    run: run_rescue,
};

/// What the long task finds out about itself, in nanoseconds since its start.
#[derive(Default)]
struct Watch {
    longest_wait: AtomicU64,
    last_run: AtomicU64,
    cpu: AtomicU64,
}

// SAFETY: all fields are atomic integers.
unsafe impl Board for Watch {}

/// How the long task fared.
struct Fared {
    waiting: Duration,
    cpu: Duration,
}

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = known::start(&[("long", NEEDED)], OPTIONS)?;
    let Fared { waiting, cpu } = watch(report, &daemon, &short, &long)?;
    ensure!(
        waiting < PROMISED + SLACK,
        "expected waits below {PROMISED:?} (and {SLACK:?} of slack) and saw {waiting:?}"
    );
    ensure!(
        cpu >= NEEDED,
        "expected the long invocation to get done what it is known to need, {NEEDED:?} of CPU \
         time, and saw {cpu:?}"
    );
    daemon.stop()
}

fn run_rescue(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = known::start(&[("short", SHORT)], WITHOUT_END)?;
    let Fared { waiting, .. } = watch(report, &daemon, &short, &long)?;
    let rescued = counters::read()?["rescued"];
    ensure!(
        rescued > 0,
        "expected a task to be rescued within {WATCHED:?} and saw none"
    );
    ensure!(
        waiting < RESCUED_AFTER + SLACK,
        "expected the task to be rescued after {RESCUED_AFTER:?} (and {SLACK:?} of slack) and \
         saw it wait {waiting:?}"
    );
    daemon.stop()
}

/// Watch a long task under streams of short ones.
fn watch(report: &Report, daemon: &Daemon, short: &Cgroup, long: &Cgroup) -> Result<Fared> {
    // More than the CPUs can do: whenever a CPU looks, a short one waits.
    let streams = [0, 1].map(|_| Stream::start(short, SHORT, Arrivals::Always(8), Entry::Born));
    sleep(Duration::from_secs(2));

    let watch = Shared::<Watch>::new()?;
    let start = Instant::now();
    let long = Child::start(Some(long), || keep(&watch, start))?;
    sleep(WATCHED);
    let still_waiting = nanos(start.elapsed()).saturating_sub(watch.last_run.load(Relaxed));
    let waiting = Duration::from_nanos(watch.longest_wait.load(Relaxed).max(still_waiting));
    let cpu = Duration::from_nanos(watch.cpu.load(Relaxed));
    drop(long);
    let short_bias = daemon.function("short")?.time("bias_ns")?;
    for stream in streams {
        stream?.stop()?;
    }

    report.note(format!(
        "waited {:.0} ms at most, had {:.0} ms of CPU time in {} s",
        millis(waiting),
        millis(cpu),
        WATCHED.as_secs()
    ));
    ensure!(
        waiting > PRESSED,
        "expected the short invocations to keep the long one waiting, without which this tests \
         nothing, and saw {waiting:?} (bias of the short ones: {short_bias:?})"
    );
    Ok(Fared { waiting, cpu })
}

/// Keep the watch while computing, until killed.
fn keep(watch: &Watch, start: Instant) {
    let mut last_run = 0;
    loop {
        let now = nanos(start.elapsed());
        watch.longest_wait.fetch_max(now - last_run, Relaxed);
        watch.last_run.store(now, Relaxed);
        last_run = now;
        watch.cpu.store(nanos(thread_cpu()), Relaxed);
        while nanos(start.elapsed()) - last_run < 100_000 {
            spin_loop();
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
