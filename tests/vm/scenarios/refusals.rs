// SPDX-License-Identifier: GPL-2.0-only
//! What cannot work is refused in one clear sentence, and nothing is left.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::daemon::{Daemon, PROGRAM};
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::sched_ext;

pub const SCENARIO: Scenario = Scenario {
    name: "refusals",
    title: "impossible starts refused, each in a clear sentence",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

/// Options, and what the sentence must hold.
const IMPOSSIBLE: &[(&[&str], &[&str])] = &[
    (&["--bias-factor", "0"], &["bias factor", "above 0"]),
    (&["--alpha", "-1"], &["alpha"]),
    (&["--idle-gap", "10"], &["--idle-gap", "unit"]),
    (&["--max-bias", "1h"], &["--max-bias", "20s"]),
    (&["--interval", "1us"], &["--interval", "50ms"]),
    (&["--queues", "numa"], &["--queues"]),
    (&["--slice", "1d"], &["--slice", "1s"]),
    (&["--preempt-margin", "1000years"], &["--preempt-margin"]),
    (&["--window", "1ns"], &["--window", "1s"]),
    (
        &["--functions", "/dev/zero"],
        &["/dev/zero", "not a regular"],
    ),
    (&["--state", "/dev/null"], &["/dev/null", "not a regular"]),
    (
        &["--functions", "/nowhere/rules.toml"],
        &["/nowhere/rules.toml", "cannot read"],
    ),
    (&["--no-such-option"], &["--no-such-option"]),
    (
        &["--socket", "/proc/version"],
        &["/proc/version", "no socket"],
    ),
    (&["status"], &["no scx_alps daemon"]),
    (&["on"], &["no scx_alps daemon"]),
];

/// All of /sys/kernel but the type information.
const WITHOUT_SCHED_EXT: &str = "mkdir -p /tmp/btf && mount -o bind /sys/kernel/btf /tmp/btf \
    && mount -t tmpfs none /sys/kernel && mkdir /sys/kernel/btf \
    && mount -o bind /tmp/btf /sys/kernel/btf";
const WITHOUT_BTF: &str = "mount -t tmpfs none /sys/kernel/btf";

fn run(report: &Report) -> Result<()> {
    for (options, told) in IMPOSSIBLE {
        let mut command = Command::new(PROGRAM);
        command.args(*options);
        expect_refusal(report, command, told)?;
    }
    let mut unprivileged = Command::new(PROGRAM);
    unprivileged.uid(65534).gid(65534);
    expect_refusal(report, unprivileged, &["root"])?;
    expect_refusal(
        report,
        in_other_world(WITHOUT_SCHED_EXT),
        &["no sched_ext", "6.16"],
    )?;
    expect_refusal(
        report,
        in_other_world(WITHOUT_BTF),
        &["/sys/kernel/btf/vmlinux", "BTF"],
    )?;

    let daemon = Daemon::start(&[])?;
    let mut second = Command::new(PROGRAM);
    second.args(["--socket", "/run/other.sock"]);
    expect_told(report, second, &["another scx_alps already runs"])?;
    expect_told(report, Command::new(PROGRAM), &["already runs"])?;
    // Nor does one that is off give way.
    daemon.off()?;
    let mut second = Command::new(PROGRAM);
    second.args(["--socket", "/run/other.sock"]);
    expect_told(report, second, &["another scx_alps already runs"])?;
    daemon.on()?;
    ensure!(
        daemon.status()?.flag("enforcing")? && !sched_ext::pins().is_empty(),
        "expected the first daemon to be undisturbed"
    );
    daemon.stop()
}

/// Refused without leaving anything.
fn expect_refusal(report: &Report, command: Command, told: &[&str]) -> Result<()> {
    expect_told(report, command, told)?;
    let (state, pins) = (sched_ext::state(), sched_ext::pins());
    ensure!(
        state == "disabled" && pins.is_empty(),
        "expected nothing to be left and saw sched_ext {state}, pinned {pins:?}"
    );
    Ok(())
}

/// Refused in one sentence, which holds all of `told`.
fn expect_told(report: &Report, mut command: Command, told: &[&str]) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    report.note(said.lines().next().unwrap_or_default());
    ensure!(
        output.status.code().is_some_and(|code| code != 0),
        "expected {command:?} to be refused and saw {}: {said}",
        output.status
    );
    // How to find help follows a mistake on the command line.
    let lines = said.lines().filter(|line| !line.trim().is_empty()).count();
    let first = said.lines().next().unwrap_or_default();
    ensure!(
        told.iter().all(|part| first.contains(part)) && lines <= 4,
        "expected {command:?} to be refused in a sentence with {told:?} and saw: {said}"
    );
    Ok(())
}

/// The program in a mount namespace of its own, changed by a script.
fn in_other_world(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &format!("{script} && exec {PROGRAM}")]);
    command
}
