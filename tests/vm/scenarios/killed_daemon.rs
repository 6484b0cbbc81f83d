// SPDX-License-Identifier: GPL-2.0-only
//! A daemon that dies takes nobody with it, and the next one starts over
//! what it left.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{load, sched_ext};

pub const SCENARIO: Scenario = Scenario {
    name: "killed-daemon",
    title: "the daemon killed with 200 tasks running, and started again",
    machine: Machine::Parallel,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let cgroups: Vec<Cgroup> = (0..4)
        .map(|number| Cgroup::new(&format!("function-{number}")))
        .collect::<Result<_>>()?;
    let daemon = Daemon::start(&[])?;
    let mut tasks = Vec::new();
    for cgroup in &cgroups {
        tasks.extend(load::start(cgroup, 50, Duration::from_millis(50))?);
    }

    let begin = Instant::now();
    daemon.kill()?;
    sched_ext::await_state("disabled", Duration::from_secs(5))?;
    report.note(format!(
        "the kernel was back after {:.0} ms",
        millis(begin.elapsed())
    ));
    let left = sched_ext::pins();
    ensure!(
        !left.is_empty(),
        "expected a killed daemon to leave pinned maps, without which this tests nothing"
    );
    load::finish(tasks)?;

    let daemon = Daemon::start(&[])?;
    load::finish(load::start(&cgroups[0], 8, Duration::from_millis(20))?)?;
    daemon.stop()
}
