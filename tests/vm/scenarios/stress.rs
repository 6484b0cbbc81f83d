// SPDX-License-Identifier: GPL-2.0-only
//! What stress-ng has against schedulers.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

const SECONDS: &str = "60";

/// Each with one worker, and those of four for the CPUs. Without those that
/// make themselves real-time tasks (mutex, race-sched, resched, schedpolicy):
/// before Linux 7 no deadline server protects sched_ext from them, and what
/// they starve is not the scheduler's fault. The scenario `realtime` is about that.
const STRESSORS: &[&str] = &[
    "affinity",
    "exec",
    "fork",
    "futex",
    "nanosleep",
    "nice",
    "pipe",
    "pthread",
    "switch",
    "timer",
    "vfork",
    "wait",
    "yield",
];

pub const SCENARIO: Scenario = Scenario {
    name: "stress",
    title: "stress-ng's scheduler stressors for 60 s",
    machine: Machine::Parallel,
    limit: Duration::from_secs(180),
    run,
};

fn run(_: &Report) -> Result<()> {
    let function = Cgroup::new("function")?;
    let daemon = Daemon::start(&[])?;
    let tasks = load::start(&function, 8, Duration::from_millis(500))?;
    let mut command = Command::new("stress-ng");
    command.args([
        "--temp-path",
        "/tmp",
        "--no-rand-seed",
        "--timeout",
        SECONDS,
    ]);
    command.args(["--cpu", "4", "--cpu-method", "int64"]);
    for stressor in STRESSORS {
        command.args([&format!("--{stressor}"), "1"]);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot run stress-ng")?;
    ensure!(
        output.status.success(),
        "expected stress-ng to succeed and saw {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    load::finish(tasks)?;
    ensure!(
        daemon.status()?.flag("enforcing")?,
        "expected the scheduler to be attached still"
    );
    daemon.stop()
}
