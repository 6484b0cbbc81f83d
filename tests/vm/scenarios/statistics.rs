// SPDX-License-Identifier: GPL-2.0-only
//! Figures for who watches: beside the daemon, and from elsewhere.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::{Daemon, PROGRAM};
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

pub const SCENARIO: Scenario = Scenario {
    name: "statistics",
    title: "--stats, --monitor, --help-stats, -V and the commands",
    machine: Machine::Parallel,
    limit: Duration::from_secs(60),
    run,
};

fn run(_: &Report) -> Result<()> {
    let said = say(&["-V"])?;
    ensure!(
        said.starts_with("scx_alps ") && said.lines().count() == 1,
        "expected a version and saw '{said}'"
    );
    let said = say(&["--help-stats"])?;
    ensure!(
        ["invocations", "preemptions", "graced"]
            .iter()
            .all(|name| said.contains(name)),
        "expected the figures to be described and saw '{said}'"
    );

    let function = Cgroup::new("resize")?;
    let daemon = Daemon::start(&["--stats", "1"])?;
    let _hogs = load::hogs(&function, 2)?;
    daemon.await_log("[scx_alps] on functions=1 ")?;
    let mut monitor = Command::new(PROGRAM)
        .args(["--monitor", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run a monitor")?;
    let output = monitor.stdout.take().context("no output")?;
    for line in BufReader::new(output).lines().take(2) {
        let line = line.context("cannot read what the monitor prints")?;
        ensure!(
            line.starts_with("[scx_alps] on functions=1 "),
            "expected a line of figures from the monitor and saw '{line}'"
        );
    }
    monitor.kill()?;
    monitor.wait()?;

    for (command, told) in [
        (&["status"][..], "on: scx_alps schedules"),
        (&["status", "--json"], "\"enforcing\": true"),
        (&["top", "--once"], "resize"),
        (&["off"], "off: the kernel's own scheduler is in force"),
        (&["toggle"], "on: scx_alps schedules"),
        (&["toggle"], "off: the kernel's own"),
        (&["on"], "on: scx_alps schedules"),
    ] {
        let said = say(command)?;
        ensure!(
            said.contains(told),
            "expected '{told}' from {command:?} and saw '{said}'"
        );
    }
    daemon.stop()
}

/// What the program prints, which must succeed.
fn say(options: &[&str]) -> Result<String> {
    let output = Command::new(PROGRAM)
        .args(options)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {PROGRAM}"))?;
    ensure!(
        output.status.success(),
        "expected {options:?} to succeed and saw {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("what it prints is no text")
}
