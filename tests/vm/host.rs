// SPDX-License-Identifier: GPL-2.0-only
//! The host's role: boot the kernels and count what the guests report.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::machine::Machine;
use crate::outcome::{self, Tally};
use crate::scenario::Scenario;
use crate::scenarios;

/// The kernels to test when the environment does not name others.
const KERNELS: &str = "6.18,7";

/// How a kernel is asked for that `kernel/build` makes: with the hooks in CFS, and
/// with what finds mistakes in them too.
const HOOKS: &str = "hooks";
const HOOKS_DEBUG: &str = "hooks-debug";

/// Until the guest runs a program, on a host that has other things to do.
const BOOT_LIMIT: Duration = Duration::from_secs(180);

/// A scenario that fails is tried once more in a machine of its own, and both
/// are said. Emulated CPUs that run at once (QEMU's multi-threaded TCG) and the
/// kernels themselves have rare faults of their own: a breakpoint met in code
/// that is patched back, a warning about a direct dispatch of long ago (Linux
/// 6.18), a deadlock of hotplug with a scheduler's end (Linux 7.3). What is
/// broken fails again. A machine that dies is booted as often as is left: so many
/// times and no more is anything tried again.
const MOST_AGAIN: usize = 3;

/// Programs of the host that scenarios use.
const TOOLS: [&str; 2] = ["stress-ng", "bpftool"];

/// Run the scenarios on all kernels; whether all have passed.
pub fn run(filters: &[String]) -> Result<bool> {
    let kernels = env::var("SCX_ALPS_TEST_KERNELS").unwrap_or_else(|_| KERNELS.to_owned());
    let mut all = Tally::default();
    for kernel in kernels
        .split(',')
        .map(str::trim)
        .filter(|kernel| !kernel.is_empty())
    {
        let has_hooks = [HOOKS, HOOKS_DEBUG].contains(&kernel);
        for machine in Machine::ALL
            .into_iter()
            .filter(|machine| machine.has_hooks() == has_hooks)
        {
            let scenarios: Vec<&Scenario> = scenarios::chosen(machine, filters).collect();
            if !scenarios.is_empty() {
                all.add(run_on(kernel, machine, &scenarios, filters)?);
            }
        }
    }
    println!("{all}");
    Ok(all.failed == 0)
}

fn run_on(
    kernel: &str,
    machine: Machine,
    scenarios: &[&Scenario],
    filters: &[String],
) -> Result<Tally> {
    println!("Linux {kernel}, {}", machine.describe());
    let begin = Instant::now();
    let mut tally = Tally::default();
    let mut done = 0;
    let mut tried_again = Vec::new();
    while done < scenarios.len() {
        let guest = boot(kernel, machine, &scenarios[done..], filters, done)?;
        for _ in 0..guest.passed {
            tally.count(true);
        }
        done += guest.passed;
        let Some(scenario) = scenarios.get(done) else {
            break;
        };
        if !guest.reported_failure {
            println!("{}", outcome::line(false, begin.elapsed(), scenario.title));
            println!(
                "                the machine was gone before it ended ({})",
                guest.status
            );
        }
        let may_try = !guest.reported_failure || !tried_again.contains(&done);
        if tried_again.len() < MOST_AGAIN && may_try {
            println!("AGAIN: '{}' is tried in another machine", scenario.title);
            tried_again.push(done);
            continue;
        }
        tally.count(false);
        done += 1;
        if !guest.reported_failure {
            // Nor would the others fare better where machines die.
            for scenario in &scenarios[done..] {
                println!("{}", outcome::line(false, begin.elapsed(), scenario.title));
                tally.count(false);
            }
            break;
        }
    }
    println!(
        "    Linux {kernel}, {}: {:.0} s\n",
        machine.describe(),
        begin.elapsed().as_secs_f64()
    );
    Ok(tally)
}

/// What became of a machine: it runs scenarios until one fails.
struct Guest {
    passed: usize,
    reported_failure: bool,
    status: ExitStatus,
}

fn boot(
    kernel: &str,
    machine: Machine,
    scenarios: &[&Scenario],
    filters: &[String],
    done: usize,
) -> Result<Guest> {
    let limit: Duration = scenarios.iter().map(|scenario| scenario.limit).sum();
    let limit = BOOT_LIMIT + machine.real_time(limit);
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vm/run"));
    if let Some(folder) = built(kernel)? {
        command
            .env("SCX_ALPS_KERNEL", folder.join("vmlinux"))
            .env("SCX_ALPS_KERNEL_CONFIG", folder.join("config"));
    } else {
        command.args(["--kernel", kernel]);
    }
    command
        .args(["--memory", "2048"])
        .args(["--timeout", &limit.as_secs().to_string()])
        .args(machine.options())
        .args([
            "--file",
            concat!(env!("CARGO_BIN_EXE_scx_alps"), ":/bin/scx_alps"),
        ])
        .arg("--file")
        .arg(format!("{}:/bin/vm-tests", env::current_exe()?.display()));
    for tool in TOOLS {
        command.arg("--file").arg(find(tool)?);
    }
    let mut vm = command
        .args(["--", "vm-tests", "--in-guest", machine.name()])
        .args(["--done", &done.to_string()])
        .args(filters)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run vm/run")?;

    let mut passed = 0;
    let mut reported_failure = false;
    let output = vm.stdout.take().context("vm/run has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what the guest prints")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        match outcome::read(&line) {
            Some(true) => passed += 1,
            Some(false) => reported_failure = true,
            None => {}
        }
    }
    let status = vm.wait().context("cannot wait for vm/run")?;
    Ok(Guest {
        passed,
        reported_failure,
        status,
    })
}

/// Where a program lies that the guest needs.
fn find(program: &str) -> Result<PathBuf> {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .map(|directory| Path::new(directory).join(program))
        .find(|path| path.is_file())
        .with_context(|| format!("the tests need {program}: run 'scripts/setup vm'"))
}

/// The folder of a kernel that is built here, which it is first if need be.
fn built(kernel: &str) -> Result<Option<PathBuf>> {
    let flavour = match kernel {
        HOOKS => "patched",
        HOOKS_DEBUG => "debug",
        _ => return Ok(None),
    };
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/kernel/build"))
        .arg(flavour)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run kernel/build")?;
    ensure!(output.status.success(), "kernel/build {flavour} failed");
    let folder = String::from_utf8(output.stdout).context("kernel/build printed no path")?;
    Ok(Some(PathBuf::from(folder.trim())))
}
