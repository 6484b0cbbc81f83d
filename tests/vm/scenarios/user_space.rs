// SPDX-License-Identifier: GPL-2.0-only
//! The scheduler in user space: nobody waits for ever, nothing grows, and the
//! kernel takes over from one that dies. And it orders as the one in the kernel.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::millis;
use crate::machine::Machine;
use crate::report::Report;
use crate::rlalps::{PROGRAM, RlAlps};
use crate::scenario::Scenario;
use crate::scenarios::fork_storm::storm;
use crate::{bench, load, proc, sched_ext};

const FORKERS: usize = 8;
const EACH: usize = 12_500;
const HOGS: usize = 4;

/// CPUs are wanted by more than there are for at least so long.
const SATURATED: Duration = Duration::from_secs(60);

/// Memory of the program may grow by so much: a page or two of its stacks.
const GROWTH_LIMIT_KIB: u64 = 64;

pub const STORM: Scenario = Scenario {
    name: "user-space-storm",
    title: "user space: 100,000 processes beside hogs for 60 s, then killed",
    machine: Machine::Parallel,
    limit: Duration::from_secs(300),
    run: run_storm,
};

fn run_storm(report: &Report) -> Result<()> {
    let cgroups = [Cgroup::new("storm-a")?, Cgroup::new("storm-b")?];
    let rlalps = RlAlps::start(&[])?;
    let refused = RlAlps::refused(&[])?;
    ensure!(
        refused.contains("is loaded: stop it first"),
        "expected a second one to name the first and saw: {refused}"
    );
    let (before_kib, faults) = (proc::resident_kib(rlalps.pid())?, rlalps.page_faults()?);

    let begin = Instant::now();
    let hogs = load::hogs(&cgroups[0], HOGS)?;
    let forkers = (0..FORKERS)
        .map(|number| Child::start(Some(&cgroups[number % 2]), || storm(EACH)))
        .collect::<Result<Vec<Child>>>()?;
    load::finish(forkers)?;
    let stormed = begin.elapsed();
    std::thread::sleep(SATURATED.saturating_sub(stormed));
    let least = hogs
        .iter()
        .map(|hog| proc::cpu(hog.pid()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .min()
        .context("there are no hogs")?;

    let growth_kib = proc::resident_kib(rlalps.pid())?.saturating_sub(before_kib);
    let faults = rlalps.page_faults()? - faults;
    report.note(format!(
        "{} processes in {:.0} s; the hog with the least had {:.1} s of CPU; \
         it grew by {growth_kib} KiB in {faults} page faults",
        FORKERS * EACH,
        stormed.as_secs_f64(),
        least.as_secs_f64()
    ));
    ensure!(
        sched_ext::state() == "enabled",
        "expected it to schedule still"
    );
    ensure!(
        least > Duration::from_secs(1),
        "expected every hog to get on"
    );
    ensure!(growth_kib <= GROWTH_LIMIT_KIB, "expected it not to grow");

    let begin = Instant::now();
    rlalps.kill()?;
    sched_ext::await_state("disabled", Duration::from_secs(5))?;
    report.note(format!(
        "killed, the kernel was back after {:.0} ms",
        millis(begin.elapsed())
    ));
    drop(hogs);
    RlAlps::start(&["--policy", "las"])?.stop()
}

pub const ORDER: Scenario = Scenario {
    name: "user-space-order",
    title: "user space and kernel order functions the same way by one policy",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run: run_order,
};

/// Of two functions whose slowdowns are closer than this anything may come first.
const APART: f64 = 1.5;

fn run_order(report: &Report) -> Result<()> {
    let rlalps = format!("{PROGRAM} --policy las");
    let options = [
        &["--schedulers", "cold", "--versus", &*rlalps][..],
        &["--seeds", "1", "--seconds", "5", "--load", "0.95"],
        &["--", "--policy", "las"],
    ]
    .concat();
    let summary = bench::run(&options, ORDER.limit)?;
    let (kernel, user) = (slowdowns(&summary, 0)?, slowdowns(&summary, 1)?);
    let shown = |slowdowns: &[f64]| {
        let shown: Vec<_> = slowdowns.iter().map(|s| format!("{s:.2}")).collect();
        shown.join(" ")
    };
    report.note(format!("kernel {}", shown(&kernel)));
    report.note(format!("user   {}", shown(&user)));
    for (one, two) in pairs(kernel.len().min(user.len())) {
        ensure!(
            kernel[one] < APART * kernel[two] || user[one] > user[two],
            "expected functions {one} and {two} in the kernel's order"
        );
    }
    Ok(())
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |one| (0..count).map(move |two| (one, two)))
}

/// Mean slowdowns by function, under the contender at a place.
fn slowdowns(summary: &Value, place: usize) -> Result<Vec<f64>> {
    let functions = summary["settings"][0]["functions"].as_array();
    let functions = functions.context("no functions")?;
    let slowdown = |function: &Value| function["contenders"][place]["slowdown"]["mean"].as_f64();
    let slowdowns: Option<Vec<f64>> = functions.iter().map(slowdown).collect();
    slowdowns.with_context(|| format!("no slowdowns in {functions:?}"))
}
