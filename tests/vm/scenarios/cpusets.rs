// SPDX-License-Identifier: GPL-2.0-only
//! Who may run where is changed while everything runs.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{cpus, load, proc, sched_ext, wait};

const LIMIT: Duration = Duration::from_secs(10);

pub const SCENARIO: Scenario = Scenario {
    name: "cpusets",
    title: "cpusets and affinities changed under load",
    machine: Machine::Parallel,
    limit: Duration::from_secs(120),
    run,
};

fn run(_: &Report) -> Result<()> {
    let (bound, free) = (Cgroup::new("bound")?, Cgroup::new("free")?);
    let daemon = Daemon::start(&[])?;
    let hogs = load::hogs(&bound, 6)?;
    let _others = load::hogs(&free, 2)?;

    let sets: [(&str, &[usize]); 6] = [
        ("0", &[0]),
        ("1-2", &[1, 2]),
        ("3", &[3]),
        ("0-3", &[0, 1, 2, 3]),
        ("1,3", &[1, 3]),
        ("0-3", &[0, 1, 2, 3]),
    ];
    for (list, allowed) in sets {
        bound.set("cpuset.cpus", list)?;
        for hog in &hogs {
            await_on(hog, allowed)?;
        }
        await_progress(&hogs)?;
    }
    for turn in 0..4 {
        for (number, hog) in hogs.iter().enumerate() {
            cpus::allow(hog.pid(), &[(number + turn) % 4])?;
        }
        for (number, hog) in hogs.iter().enumerate() {
            await_on(hog, &[(number + turn) % 4])?;
        }
        await_progress(&hogs)?;
    }
    ensure!(
        sched_ext::state() == "enabled",
        "expected the scheduler to be attached still and saw {}",
        sched_ext::state()
    );
    daemon.stop()
}

/// A task that does not run keeps the CPU it last ran on, so this waits
/// until it has run again, too.
fn await_on(task: &Child, allowed: &[usize]) -> Result<()> {
    let what = format!("process {} on one of CPUs {allowed:?}", task.pid());
    wait::until(&what, LIMIT, || {
        Ok(allowed.contains(&proc::last_cpu(task.pid())?))
    })
}

/// All of them get CPU time, wherever they are crowded together.
fn await_progress(tasks: &[Child]) -> Result<()> {
    let before = tasks
        .iter()
        .map(|task| proc::cpu(task.pid()))
        .collect::<Result<Vec<_>>>()?;
    for (task, before) in tasks.iter().zip(before) {
        let what = format!("process {} to get CPU time", task.pid());
        wait::until(&what, LIMIT, || Ok(proc::cpu(task.pid())? > before))?;
    }
    Ok(())
}
