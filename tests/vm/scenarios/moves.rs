// SPDX-License-Identifier: GPL-2.0-only
//! Running tasks change their function.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin};
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};
use crate::wait;

const TASKS: usize = 6;
const MOVES: usize = 100;

/// Raised when the tasks shall end.
struct Stop(AtomicBool);

// SAFETY: an atomic.
unsafe impl Board for Stop {}

pub const SCENARIO: Scenario = Scenario {
    name: "moves",
    title: "running tasks moved between cgroups",
    machine: Machine::Parallel,
    limit: Duration::from_secs(120),
    run,
};

fn run(report: &Report) -> Result<()> {
    let cgroups = [Cgroup::new("here")?, Cgroup::new("there")?];
    let daemon = Daemon::start(&[])?;

    let stop = Shared::<Stop>::new()?;
    let compute = || {
        while !stop.0.load(Relaxed) {
            spin(Duration::from_millis(1));
        }
    };
    let tasks: Vec<Child> = (0..TASKS)
        .map(|_| Child::start(Some(&cgroups[0]), compute))
        .collect::<Result<_>>()?;
    for number in 0..MOVES {
        cgroups[(number / TASKS + 1) % 2].take(tasks[number % TASKS].pid())?;
        sleep(Duration::from_millis(5));
    }
    // A cgroup is a function from the round on that finds a process in it.
    daemon.await_round()?;
    let gather = |cgroup: &Cgroup| tasks.iter().try_for_each(|task| cgroup.take(task.pid()));
    gather(&cgroups[0])?;
    expect_live(&daemon, &tasks, TASKS, 0)?;
    gather(&cgroups[1])?;
    expect_live(&daemon, &tasks, 0, TASKS)?;

    // The invocation counts for the function it ended in, with all its CPU time.
    stop.0.store(true, Relaxed);
    let ended = load::finish(tasks)?;
    let used = ended.iter().map(|ended| ended.cpu).sum::<Duration>() / TASKS as u32;
    daemon.await_round()?;
    let (here, there) = (daemon.function("here")?, daemon.function("there")?);
    let mean = there.time("cpu_mean_ns")?;
    report.note(format!(
        "{:.0} ms of CPU time each in the end, by the kernel's account {:.0} ms",
        millis(mean),
        millis(used)
    ));
    ensure!(
        here.number("rate_per_s")? == 0.0
            && there.count("samples")? == TASKS as u64
            && mean.abs_diff(used) < used / 10,
        "expected {TASKS} invocations of {used:?} each in 'there' and none in 'here', and saw \
         {there:?} and {here:?}"
    );
    daemon.stop()
}

/// The daemon sees so many live tasks in the two functions.
fn expect_live(daemon: &Daemon, tasks: &[Child], here: usize, there: usize) -> Result<()> {
    let live = |name: &str| -> Result<usize> {
        let row = daemon.function(name)?;
        Ok((row.count("running")? + row.count("waiting")?) as usize)
    };
    let what = format!(
        "{here} of {} tasks in 'here', {there} in 'there'",
        tasks.len()
    );
    wait::until(&what, Duration::from_secs(10), || {
        Ok((live("here")?, live("there")?) == (here, there))
    })
}
