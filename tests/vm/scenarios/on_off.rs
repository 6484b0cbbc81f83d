// SPDX-License-Identifier: GPL-2.0-only
//! Switching back and forth is quick, loses no task and forgets nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};

const TIMES: usize = 50;

/// Switching on takes less, in milliseconds.
const ON_LIMIT_MS: f64 = 100.0;

pub const SCENARIO: Scenario = Scenario {
    name: "on-off",
    title: "switched off and on 50 times under load",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&["--interval", "100ms"])?;
    let _hogs = load::hogs(&long, 4)?;
    let pace = Arrivals::Every(Duration::from_millis(25));
    let stream = Stream::start(&short, Duration::from_millis(5), pace, Entry::Born)?;

    let (mut on_ms, mut off_ms) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        off_ms.push(daemon.off()?.number("last_switch_ms")?);
        on_ms.push(daemon.on()?.number("last_switch_ms")?);
    }
    report.note(summary("on", &mut on_ms)?);
    report.note(summary("off", &mut off_ms)?);

    let learned = daemon.function("short")?;
    daemon.off()?;
    let before = daemon.status()?;
    daemon.await_round()?;
    daemon.await_round()?;
    let after = daemon.status()?;
    ensure!(
        after.count("invocations")? > before.count("invocations")?,
        "expected invocations to be observed while off: before {before:?}, after {after:?}"
    );
    daemon.on()?;
    let kept = daemon.function("short")?;
    ensure!(
        kept.count("samples")? >= learned.count("samples")? && kept.count("predicted_ns")? > 0,
        "expected what was learned to be kept: before {learned:?}, after {kept:?}"
    );
    stream.stop()?;

    let longest = on_ms[TIMES - 1];
    ensure!(
        longest < ON_LIMIT_MS,
        "expected to be on in less than {ON_LIMIT_MS} ms each time and saw {longest:.1} ms"
    );
    daemon.stop()
}

fn summary(which: &str, times_ms: &mut [f64]) -> Result<String> {
    times_ms.sort_by(f64::total_cmp);
    let longest = times_ms.last().context("no times")?;
    Ok(format!(
        "{which} in {:.1} ms (median), {longest:.1} ms (longest)",
        times_ms[times_ms.len() / 2]
    ))
}
