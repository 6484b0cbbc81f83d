// SPDX-License-Identifier: GPL-2.0-only
//! What stress-ng has against schedulers.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{load, proc, wait};

const SECONDS: &str = "60";

const GONE_LIMIT: Duration = Duration::from_secs(10);

/// Each with one worker, beside four of `cpu`. Without resched, whose children
/// count in common and call it corruption when one is stopped while it counts.
const STRESSORS: &[&str] = &[
    "affinity",
    "fork",
    "futex",
    "mutex",
    "nanosleep",
    "nice",
    "pipe",
    "pthread",
    "race-sched",
    "schedpolicy",
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

fn run(report: &Report) -> Result<()> {
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
    // Stopped in mid-fork, some of its stressors leave processes behind.
    let begin = Instant::now();
    wait::until("stress-ng's processes to be gone", GONE_LIMIT, || {
        let left = proc::all()
            .into_iter()
            .filter(|(_, command)| command.starts_with("stress-ng"));
        let mut is_gone = true;
        for (pid, _) in left {
            is_gone = false;
            // SAFETY: nobody but this scenario starts stress-ng.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        Ok(is_gone)
    })?;
    report.note(format!(
        "its last process was gone after {:.0} ms",
        millis(begin.elapsed())
    ));
    ensure!(
        daemon.status()?.flag("enforcing")?,
        "expected the scheduler to be attached still"
    );
    daemon.stop()
}
