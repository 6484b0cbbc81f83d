// SPDX-License-Identifier: GPL-2.0-only
//! cpu.max holds beside the hooks, and who was throttled runs again.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};

const WATCHED: Duration = Duration::from_secs(4);

/// A fifth of a CPU, in turns that the hogs use up.
const QUOTA: &str = "20000 100000";

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-throttled",
    title: "cpu.max is kept, in a hierarchy, with hooks attached",
    machine: Machine::Hooks,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (limited, free) = (Cgroup::new("pod/limited")?, Cgroup::new("free")?);
    std::fs::write(
        format!("{}/pod/cgroup.subtree_control", crate::cgroup::ROOT),
        "+cpu",
    )?;
    limited.set("cpu.max", QUOTA)?;
    let daemon = Daemon::start(&["--interval", "200ms"])?;
    let _hogs = load::hogs(&limited, 3)?;
    let _others = load::hogs(&free, 4)?;
    let pace = Arrivals::Every(Duration::from_millis(20));
    let stream = Stream::start(&limited, Duration::from_millis(1), pace, Entry::Born)?;

    sleep(Duration::from_millis(500));
    let before = limited.cpu()?;
    sleep(WATCHED);
    let had = limited.cpu()? - before;
    report.note(format!(
        "had {:.0} ms of {} s",
        millis(had),
        WATCHED.as_secs()
    ));
    ensure!(
        had < WATCHED * 3 / 10 && had > WATCHED / 10,
        "expected a cgroup of cpu.max {QUOTA} to get about a fifth of {WATCHED:?} and saw {had:?}"
    );
    limited.set("cpu.max", "max 100000")?;
    stream.stop()?;
    daemon.stop()
}
