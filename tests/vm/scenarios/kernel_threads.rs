// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel does on one CPU is done at once, however busy that is.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};
use crate::{load, wait};

/// Reading it has a worker on every CPU do something, and waits for all.
const ON_EVERY_CPU: &str = "/proc/sys/vm/stat_refresh";

const TIMES: u32 = 50;

pub const SCENARIO: Scenario = Scenario {
    name: "kernel-threads",
    title: "a CPU's kernel threads run at once beside short work and long",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&["--interval", "200ms"])?;
    let arrivals = Arrivals::Always(4);
    let stream = Stream::start(&short, Duration::from_millis(5), arrivals, Entry::Born)?;
    let _hogs = load::hogs(&long, 4)?;
    wait::until("functions to be learned", Duration::from_secs(10), || {
        let short = daemon.function("short");
        Ok(short.is_ok_and(|row| row.count("samples").is_ok_and(|samples| samples > 20)))
    })?;

    // So that only the workers are waited for.
    policy::set(0, Policy::Fifo(50))?;
    let mut total = Duration::ZERO;
    let mut longest = Duration::ZERO;
    for _ in 0..TIMES {
        sleep(Duration::from_millis(7));
        let begin = Instant::now();
        fs::read(ON_EVERY_CPU).with_context(|| format!("cannot read {ON_EVERY_CPU}"))?;
        total += begin.elapsed();
        longest = longest.max(begin.elapsed());
    }
    let mean = total / TIMES;
    report.note(format!(
        "{:.2} ms on average, {:.2} ms at most",
        millis(mean),
        millis(longest)
    ));
    ensure!(
        mean < Duration::from_millis(1) && longest < Duration::from_millis(4),
        "expected a CPU's own threads to run at once"
    );
    stream.stop()?;
    daemon.stop()
}
