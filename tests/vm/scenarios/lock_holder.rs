// SPDX-License-Identifier: GPL-2.0-only
//! A preempted task must not hold up everybody with a lock of the kernel's.
//!
//! Long functions ask the kernel for their cgroup all the time, under the lock
//! that whoever moves a process into a cgroup needs. Bursts of shorter ones
//! preempt them there.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::millis;
use crate::counters;
use crate::known;
use crate::machine::Machine;
use crate::proc;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};

const SHORT: Duration = Duration::from_millis(1);
const MIDDLE: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_millis(300);

/// Half a burst of the middle ones.
const LIMIT: Duration = Duration::from_millis(10);

/// Whether one is preempted with the lock is chance: in most rounds somebody is.
const ROUNDS_WITHOUT: u32 = 10;

pub const SCENARIO: Scenario = Scenario {
    name: "lock-holder",
    title: "long functions preempted in the kernel hold up nobody",
    machine: Machine::Exact,
    limit: Duration::from_secs(120),
    run,
};

fn run(report: &Report) -> Result<()> {
    let with_grace = responses(report, &[])?;
    ensure!(
        with_grace < LIMIT,
        "expected short invocations to be done within {LIMIT:?} and saw {with_grace:?}"
    );
    // Later kernels have such a lock for each thread group, and nobody waits.
    if !proc::kernel_release()?.starts_with("6.") {
        responses(report, &["--no-grace"])?;
        return Ok(());
    }
    let mut without = Duration::ZERO;
    for _ in 0..ROUNDS_WITHOUT {
        without = without.max(responses(report, &["--no-grace"])?);
        if without > 2 * with_grace {
            return Ok(());
        }
    }
    bail!(
        "expected them to take longer with nobody favoured, and saw {with_grace:?} and, in \
         {ROUNDS_WITHOUT} rounds, {without:?} at most"
    );
}

/// The mean response of short invocations that are moved into their cgroup.
fn responses(report: &Report, options: &[&str]) -> Result<Duration> {
    let cgroups = ["short", "middle", "long"].map(Cgroup::new);
    let [short, middle, long] = cgroups;
    let (short, middle, long) = (short?, middle?, long?);
    let known = [("short", SHORT), ("middle", MIDDLE), ("long", LONG)];
    let daemon = known::start(&known, options)?;

    let _longs = (0..6)
        .map(|_| Child::start(Some(&long), ask_for_cgroup))
        .collect::<Result<Vec<Child>>>()?;
    sleep(Duration::from_millis(50));
    let bursts = [(); 4].map(|()| {
        Stream::start(
            &middle,
            MIDDLE,
            Arrivals::Every(Duration::from_millis(100)),
            Entry::Born,
        )
    });
    let arrivals = Arrivals::Every(Duration::from_millis(10));
    let stream = Stream::start(&short, SHORT, arrivals, Entry::Moved)?;
    sleep(Duration::from_millis(1000));
    let responses = stream.stop()?;
    for burst in bursts {
        burst?.stop()?;
    }
    let graced = counters::read()?["graced"];
    report.note(format!(
        "{:.2} ms on average, {:.2} ms at most, {graced} times favoured {options:?}",
        millis(responses.mean),
        millis(responses.longest),
    ));
    ensure!(
        (graced > 0) == options.is_empty(),
        "expected tasks preempted in a system call to be favoured unless switched off, and saw \
         {graced} with {options:?}"
    );
    daemon.stop()?;
    Ok(responses.mean)
}

fn ask_for_cgroup() {
    loop {
        fs::read("/proc/self/cgroup").expect("every process has a cgroup");
    }
}
