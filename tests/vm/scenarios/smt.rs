// SPDX-License-Identifier: GPL-2.0-only
//! Two tasks on cores of two threads each have a core each.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{cpus, load, proc, wait};

const TIMES: usize = 20;

/// Now and then something else runs on the idle core just then.
const MOST_SHARED: usize = 4;

pub const SCENARIO: Scenario = Scenario {
    name: "smt",
    title: "idle cores taken before the second threads of busy ones",
    machine: Machine::TwoDomains,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let core_of = cpus::sharing_core;
    ensure!(
        core_of(0)? == core_of(1)? && core_of(1)? != core_of(2)?,
        "expected cores of two threads, without which this tests nothing"
    );
    let function = Cgroup::new("function")?;
    let daemon = Daemon::start(&[])?;
    let mut shared = 0;
    for _ in 0..TIMES {
        // On the thread beside it the second would be as near as can be.
        let first = load::hogs(&function, 1)?.remove(0);
        await_running(first.pid())?;
        let second = load::hogs(&function, 1)?.remove(0);
        await_running(second.pid())?;
        let cores = [&first, &second].map(|hog| core_of(proc::last_cpu(hog.pid())?));
        if let [Ok(one), Ok(other)] = cores
            && one == other
        {
            shared += 1;
        }
        drop((first, second));
        sleep(Duration::from_millis(20));
    }
    report.note(format!("{shared} of {TIMES} pairs shared a core"));
    ensure!(
        shared <= MOST_SHARED,
        "expected at most {MOST_SHARED} of {TIMES} pairs to share a core and saw {shared}"
    );
    daemon.stop()
}

fn await_running(pid: i32) -> Result<()> {
    wait::until("the task to run", Duration::from_secs(5), || {
        Ok(proc::cpu(pid)? >= Duration::from_millis(1))
    })
}
