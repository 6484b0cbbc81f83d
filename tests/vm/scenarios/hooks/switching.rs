// SPDX-License-Identifier: GPL-2.0-only
//! Programs are attached to the hooks and detached while everything runs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};

const TIMES: usize = 100;

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-switching",
    title: "attached to the hooks in CFS and detached 100 times under load",
    machine: Machine::Hooks,
    limit: Duration::from_secs(600),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&["--interval", "100ms"])?;
    ensure!(
        daemon.status()?.text("engine")? == "cfs",
        "expected the engine 'cfs' where there is no sched_ext"
    );
    let _hogs = load::hogs(&long, 6)?;
    let arrivals = Arrivals::Always(2);
    let stream = Stream::start(&short, Duration::from_millis(5), arrivals, Entry::Born)?;

    let (mut on_ms, mut off_ms) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        off_ms.push(daemon.off()?.number("last_switch_ms")?);
        on_ms.push(daemon.on()?.number("last_switch_ms")?);
    }
    for (which, times) in [("on", &mut on_ms), ("off", &mut off_ms)] {
        times.sort_by(f64::total_cmp);
        let longest = times.last().context("no times")?;
        report.note(format!(
            "{which} in {:.1} ms (median), {longest:.1} ms (longest)",
            times[TIMES / 2]
        ));
    }
    daemon.off()?;
    let before = daemon.status()?.count("invocations")?;
    daemon.await_round()?;
    ensure!(
        daemon.status()?.count("invocations")? > before,
        "expected invocations to be observed while off"
    );
    stream.stop()?;
    daemon.stop()
}
