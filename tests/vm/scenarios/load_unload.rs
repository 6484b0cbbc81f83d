// SPDX-License-Identifier: GPL-2.0-only
//! Coming and going leaves no trace, however often.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

const TIMES: u32 = 20;

pub const SCENARIO: Scenario = Scenario {
    name: "load-unload",
    title: "loaded, run under load and unloaded 20 times",
    machine: Machine::Parallel,
    limit: Duration::from_secs(240),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let mut starting = Duration::ZERO;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let daemon = Daemon::start(&[])?;
        starting += begin.elapsed();
        let _hogs = load::hogs(&long, 4)?;
        load::finish(load::start(&short, 8, Duration::from_millis(5))?)?;
        daemon.stop()?;
    }
    report.note(format!(
        "ready after {:.0} ms on average",
        millis(starting / TIMES)
    ));
    Ok(())
}
