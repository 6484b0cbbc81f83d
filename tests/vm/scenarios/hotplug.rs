// SPDX-License-Identifier: GPL-2.0-only
//! CPUs come and go while everything runs.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};
use crate::{cpus, load, proc, sched_ext, wait};

const TIMES: usize = 4;
const CPU: usize = 3;
const LIMIT: Duration = Duration::from_secs(20);

pub const SCENARIO: Scenario = Scenario {
    name: "hotplug",
    title: "a CPU unplugged and plugged in again under load",
    machine: Machine::Parallel,
    limit: Duration::from_secs(120),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&[])?;
    let hogs = load::hogs(&long, 6)?;
    let arrivals = Arrivals::Always(2);
    let stream = Stream::start(&short, Duration::from_millis(5), arrivals, Entry::Born)?;

    let mut longest = Duration::ZERO;
    for _ in 0..TIMES {
        for online in [false, true] {
            let begin = Instant::now();
            let attached = sched_ext::times_enabled()?;
            cpus::set_online(CPU, online)?;
            wait::until("the scheduler to attach by itself", LIMIT, || {
                Ok(sched_ext::times_enabled()? > attached && sched_ext::state() == "enabled")
            })?;
            longest = longest.max(begin.elapsed());
            ensure!(
                daemon.status()?.flag("enforcing")?,
                "expected the daemon to know that it schedules again"
            );
            stream.await_more(LIMIT)?;
        }
        wait::until("the CPU that came back to be used", LIMIT, || {
            Ok(hogs
                .iter()
                .any(|hog| proc::last_cpu(hog.pid()).is_ok_and(|cpu| cpu == CPU)))
        })?;
    }

    // What changes while it is off is known when it comes back.
    for online in [false, true] {
        daemon.off()?;
        cpus::set_online(CPU, online)?;
        daemon.on()?;
        let cpus = daemon.status()?.count("cpus")?;
        let expected = if online { 4 } else { 3 };
        ensure!(
            cpus == expected,
            "expected {expected} CPUs to be known and saw {cpus}"
        );
        stream.await_more(LIMIT)?;
    }
    report.note(format!(
        "attached again after {:.0} ms at most",
        millis(longest)
    ));
    stream.stop()?;
    daemon.stop()
}
