// SPDX-License-Identifier: GPL-2.0-only
//! Two tasks on cores of two threads each have a core each.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::spin;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{cpus, load, proc, wait};

const TIMES: usize = 20;

/// Now and then something else runs on the idle core just then.
const MOST_SHARED: usize = 8;

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
    // On the same core as the first task, so that the other core is idle.
    cpus::allow(0, &[0, 1])?;
    let mut shared = 0;
    for _ in 0..TIMES {
        let first = load::hogs(&function, 1)?.remove(0);
        cpus::allow(first.pid(), &[0])?;
        await_running(first.pid())?;
        let second = Child::start(Some(&function), || {
            cpus::allow(0, &[0, 1, 2, 3]).expect("its own affinity");
            sleep(Duration::from_millis(10));
            spin(Duration::from_secs(60));
        })?;
        await_running(second.pid())?;
        shared += usize::from(core_of(proc::last_cpu(second.pid())?)? == core_of(0)?);
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
        Ok(proc::cpu(pid)? >= Duration::from_millis(5))
    })
}
