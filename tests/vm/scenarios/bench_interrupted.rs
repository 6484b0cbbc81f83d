// SPDX-License-Identifier: GPL-2.0-only
//! Ctrl-C in the middle of a round leaves the machine as it was.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::cgroup::{Cgroup, ROOT};
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{cpus, proc, sched_ext, wait};

/// Two levels deep, so that controllers are turned on on the way.
const CGROUP: &str = "outer/load";

const OPTIONS: &[&str] = &[
    "--schedulers",
    "cold",
    "--cgroup",
    CGROUP,
    "--seconds",
    "600",
];

pub const SCENARIO: Scenario = Scenario {
    name: "bench-interrupted",
    title: "an interrupted benchmark leaves the machine as it was",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(_: &Report) -> Result<()> {
    for (signal, options) in [
        (libc::SIGINT, &[][..]),
        (libc::SIGTERM, &["--server"]),
        // Nobody can tidy up then but whom the benchmark has started, and the
        // next benchmark.
        (libc::SIGKILL, &["--server"]),
    ] {
        let before = controllers();
        let mut bench = Bench::start(&[OPTIONS, options].concat())?;
        wait::until("the load under ALPS", Duration::from_secs(60), || {
            Ok(sched_ext::state() == "enabled" && workers() > 0)
        })?;
        bench.signal(signal);
        let status = bench.await_end(Duration::from_secs(30))?;
        ensure!(!status.success(), "expected a failure and saw {status}");
        sched_ext::await_state("disabled", Duration::from_secs(10))?;
        wait::until("no workers", Duration::from_secs(10), || Ok(workers() == 0))?;
        if signal == libc::SIGKILL {
            Cgroup::remove(&Path::new(ROOT).join("outer"))?;
            continue;
        }
        ensure!(
            bench.log().contains("interrupted"),
            "expected it to be said and saw {}",
            bench.log()
        );
        ensure!(
            !Path::new(ROOT).join("outer").exists() && controllers() == before,
            "expected cgroups and controllers as they were: {before}, now {}",
            controllers()
        );
        ensure!(cpus::online() == "0-3", "expected all CPUs to be online");
    }
    Ok(())
}

/// Processes named like the functions of the trace.
fn workers() -> usize {
    let named = |(_, name): &(i32, String)| name.starts_with("f0") || name.starts_with("f1");
    proc::all().iter().filter(|process| named(process)).count()
}

fn controllers() -> String {
    fs::read_to_string(Path::new(ROOT).join("cgroup.subtree_control")).unwrap_or_default()
}
