// SPDX-License-Identifier: GPL-2.0-only
//! CPUs come and go while programs are attached to the hooks.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};
use crate::{cpus, load, proc, wait};

const TIMES: usize = 5;
const CPU: usize = 3;
const LIMIT: Duration = Duration::from_secs(20);

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-hotplug",
    title: "a CPU unplugged and plugged in again with hooks attached",
    machine: Machine::Hooks,
    limit: Duration::from_secs(120),
    run,
};

fn run(_: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&[])?;
    let hogs = load::hogs(&long, 6)?;
    let arrivals = Arrivals::Always(2);
    let stream = Stream::start(&short, Duration::from_millis(5), arrivals, Entry::Born)?;
    for _ in 0..TIMES {
        for online in [false, true] {
            cpus::set_online(CPU, online)?;
            stream.await_more(LIMIT)?;
        }
        wait::until("the CPU that came back to be used", LIMIT, || {
            Ok(hogs
                .iter()
                .any(|hog| proc::last_cpu(hog.pid()).is_ok_and(|cpu| cpu == CPU)))
        })?;
    }
    ensure!(
        daemon.status()?.flag("enforcing")?,
        "expected the daemon to go on scheduling"
    );
    stream.stop()?;
    daemon.stop()
}
