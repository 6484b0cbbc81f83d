// SPDX-License-Identifier: GPL-2.0-only
//! Who stands in a queue behind many that may not run on its CPU is not kept
//! from it by a worse one.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin_until};
use crate::cpus;
use crate::known;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

/// More than a CPU passes over when it looks for one of its own.
const CROWD: usize = 48;
const CROWDS_CPU: Duration = Duration::from_millis(50);

/// Worse than the crowd and better than the hog.
const OURS: Duration = Duration::from_millis(100);
const HOGS: Duration = Duration::from_secs(10);

/// Long before the crowd is gone, and with no turns for the hog in between.
const LIMIT: Duration = Duration::from_millis(160);

pub const SCENARIO: Scenario = Scenario {
    name: "crowded",
    title: "who waits behind a crowd of another CPU's runs on its own",
    machine: Machine::Exact,
    limit: Duration::from_secs(30),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (crowd, ours, hogs) = (
        Cgroup::new("crowd")?,
        Cgroup::new("ours")?,
        Cgroup::new("hogs")?,
    );
    let known = [("crowd", CROWDS_CPU), ("ours", OURS), ("hogs", HOGS)];
    let daemon = known::start(&known, &[])?;
    let _hog = born_on(1, || load::hogs(&hogs, 1))?;
    let _crowd = born_on(0, || load::start(&crowd, CROWD, CROWDS_CPU))?;
    sleep(Duration::from_millis(20));

    let begin = Instant::now();
    let one = born_on(1, || Child::start(Some(&ours), || spin_until(OURS)))?;
    one.finish()?;
    let took = begin.elapsed();
    report.note(format!("{:.0} ms for {:.0}", millis(took), millis(OURS)));
    ensure!(
        took < LIMIT,
        "expected an invocation of {OURS:?} to pass the hog on its CPU and be done within \
         {LIMIT:?}, and it took {took:?}"
    );
    daemon.stop()
}

/// What is forked in `start` may run on this CPU only.
fn born_on<T>(cpu: usize, start: impl FnOnce() -> Result<T>) -> Result<T> {
    cpus::allow(0, &[cpu])?;
    let started = start();
    cpus::allow(0, &[0, 1])?;
    started
}
