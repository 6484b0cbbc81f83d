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
        &["--engine", "cfs"],
        &["no hook bpf_cfs_entity_bias", "kernel/README.md"],
    ),
    (
        &["--socket", "/proc/version"],
        &["/proc/version", "no socket"],
    ),
    (&["bench", "--cpus", "99"], &["--cpus 99", "4"]),
    (
        &["bench", "--versus", "scx_nowhere -v"],
        &["--versus", "'scx_nowhere'"],
    ),
    (
        &["bench", "--out", "/proc/version/results"],
        &["--out", "/proc/version/results"],
    ),
    (&["bench", "--io", "2"], &["--io", "between 0 and 1"]),
    (&["status"], &["no scx_alps daemon"]),
    (&["on"], &["no scx_alps daemon"]),
];

/// All of /sys/kernel but the type information.
const WITHOUT_SCHED_EXT: &str = "mkdir -p /tmp/btf && mount -o bind /sys/kernel/btf /tmp/btf \
    && mount -t tmpfs none /sys/kernel && mkdir /sys/kernel/btf \
    && mount -o bind /tmp/btf /sys/kernel/btf";
const WITHOUT_BTF: &str = "mount -t tmpfs none /sys/kernel/btf";
const WITHOUT_TRACER: &str = "mount -t tmpfs none /proc/sys/kernel";
const WITHOUT_CGROUPS: &str = "umount /sys/fs/cgroup";
/// Room for the file that shows whether the folder can be written to.
const SMALL_DISK: &str = "mkdir -p /tmp/small && mount -t tmpfs -o size=16k none /tmp/small";

fn run(report: &Report) -> Result<()> {
    for (options, told) in IMPOSSIBLE {
        let mut command = Command::new(PROGRAM);
        command.args(*options);
        expect_refusal(report, command, told)?;
    }
    let mut unprivileged = Command::new(PROGRAM);
    unprivileged.uid(65534).gid(65534);
    expect_refusal(report, unprivileged, &["root"])?;
    let mut unprivileged = Command::new(PROGRAM);
    unprivileged.arg("bench").uid(65534).gid(65534);
    expect_refusal(report, unprivileged, &["root"])?;
    expect_refusal(
        report,
        in_other_world(WITHOUT_CGROUPS, "bench --schedulers kernel"),
        &["cgroup v2", "--layout"],
    )?;
    let mut full = in_other_world(
        SMALL_DISK,
        "bench --schedulers kernel --seeds 1 --synth thousand --seconds 1 --layout plain --out /tmp/small",
    );
    let output = full.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        !output.status.success()
            && said.contains("cannot write /tmp/small/")
            && said.contains("No space left"),
        "expected the full disk to be told and saw {}: {said}",
        output.status
    );
    expect_refusal(
        report,
        in_other_world(WITHOUT_SCHED_EXT, ""),
        &["no sched_ext", "6.16", "hooks in CFS", "kernel/README.md"],
    )?;
    expect_refusal(
        report,
        in_other_world(WITHOUT_BTF, ""),
        &["/sys/kernel/btf/vmlinux", "BTF"],
    )?;
    expect_refusal(
        report,
        in_other_world(WITHOUT_TRACER, ""),
        &["function tracer", "CONFIG_FUNCTION_TRACER"],
    )?;

    let daemon = Daemon::start(&[])?;
    let mut second = Command::new(PROGRAM);
    second.args(["--socket", "/run/other.sock"]);
    expect_told(report, second, &["another scx_alps already runs"])?;
    expect_told(report, Command::new(PROGRAM), &["already runs"])?;
    // Without a sign of the first but the scheduler itself, that is named.
    expect_told(
        report,
        in_other_world("mount -t tmpfs none /run", ""),
        &["sched_ext scheduler 'alps_", "stop it first"],
    )?;
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
pub fn expect_told(report: &Report, mut command: Command, told: &[&str]) -> Result<()> {
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

/// The program, with arguments, in a mount namespace of its own that is
/// changed by a script.
fn in_other_world(script: &str, arguments: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("{script} && exec {PROGRAM} {arguments}");
    command.args(["-m", "sh", "-c", &script]);
    command
}
