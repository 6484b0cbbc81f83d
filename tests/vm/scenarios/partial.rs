// SPDX-License-Identifier: GPL-2.0-only
//! `--partial` takes those only who asked for it.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{load, proc};

pub const SCENARIO: Scenario = Scenario {
    name: "partial",
    title: "--partial schedules SCHED_EXT tasks and no others",
    machine: Machine::Parallel,
    limit: Duration::from_secs(60),
    run,
};

fn run(_: &Report) -> Result<()> {
    let function = Cgroup::new("function")?;
    let daemon = Daemon::start(&["--partial"])?;
    // Before Linux 7 any other task keeps SCHED_EXT tasks off its CPU, so two
    // of the four CPUs are left to those.
    let tasks = load::hogs(&function, 6)?;
    let (asked, others) = tasks.split_at(4);
    for task in asked {
        policy::set(task.pid(), Policy::Ext)?;
    }
    for (tasks, wanted) in [(asked, true), (others, false)] {
        for task in tasks {
            let seen = proc::is_on_ext(task.pid())?;
            ensure!(
                seen == wanted,
                "expected ext.enabled of process {} to be {wanted} and saw {seen}",
                task.pid()
            );
        }
    }
    daemon.off()?;
    for task in asked {
        ensure!(
            !proc::is_on_ext(task.pid())?,
            "expected process {} to be back with the kernel's scheduler",
            task.pid()
        );
    }
    daemon.on()?;
    drop(tasks);
    daemon.stop()?;

    let daemon = Daemon::start(&[])?;
    let tasks = load::hogs(&function, 1)?;
    ensure!(
        proc::is_on_ext(tasks[0].pid())?,
        "expected every task to be scheduled by sched_ext without --partial"
    );
    daemon.stop()
}
