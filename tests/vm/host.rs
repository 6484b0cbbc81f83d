// SPDX-License-Identifier: GPL-2.0-only
//! The host's role: boot the kernels and count what the guests report.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::outcome::{self, Tally};
use crate::scenario::Scenario;
use crate::scenarios;

/// The kernels to test when the environment does not name others.
const KERNELS: &str = "6.18,7";

/// Until the guest runs a program, on a host that has other things to do.
const BOOT_LIMIT: Duration = Duration::from_secs(180);

/// Several emulated CPUs at once (QEMU's multi-threaded TCG) now and then run
/// code that the kernel has just patched as it was before, and the kernel dies
/// of a breakpoint that is no longer there. It is no fault of what is tested:
/// the scenario is run again in another machine, and that is said. Anything
/// else a kernel dies of is a failure, and so is the same once more.
const EMULATORS_FAULT: &str = "Oops: int3";
const MOST_FAULTS: usize = 1;

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
        for machine in Machine::ALL {
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
    let mut faults = 0;
    while done < scenarios.len() {
        let guest = boot(kernel, machine, &scenarios[done..], filters, done)?;
        tally.add(guest.tally);
        done += guest.reported;
        if done >= scenarios.len() {
            break;
        }
        if guest.emulators_fault && faults < MOST_FAULTS {
            faults += 1;
            println!(
                "AGAIN: the emulator ran patched code as it was before ({EMULATORS_FAULT}) during \
                 '{}'; the machine is booted once more",
                scenarios[done].title
            );
            continue;
        }
        for scenario in &scenarios[done..] {
            println!("{}", outcome::line(false, begin.elapsed(), scenario.title));
            println!(
                "                the machine was gone before it ended ({})",
                guest.status
            );
            tally.count(false);
        }
        break;
    }
    println!(
        "    Linux {kernel}, {}: {:.0} s\n",
        machine.describe(),
        begin.elapsed().as_secs_f64()
    );
    Ok(tally)
}

/// What became of a machine.
struct Guest {
    tally: Tally,
    /// Scenarios that have ended, well or not.
    reported: usize,
    status: ExitStatus,
    emulators_fault: bool,
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
    command
        .args(["--kernel", kernel, "--memory", "2048"])
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
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run vm/run")?;

    let complaints = vm.stderr.take().context("vm/run has no output")?;
    let complaints = thread::spawn(move || shows_emulators_fault(complaints));
    let mut tally = Tally::default();
    let mut reported = 0;
    let output = vm.stdout.take().context("vm/run has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what the guest prints")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(passed) = outcome::read(&line) {
            tally.count(passed);
            reported += 1;
        }
    }
    let status = vm.wait().context("cannot wait for vm/run")?;
    Ok(Guest {
        tally,
        reported,
        status,
        emulators_fault: complaints.join().unwrap_or(false),
    })
}

/// Pass on what vm/run complains of, the kernel's log among it.
fn shows_emulators_fault(complaints: impl Read) -> bool {
    let mut shows = false;
    for line in BufReader::new(complaints)
        .split(b'\n')
        .map_while(Result::ok)
    {
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        shows |= line.contains(EMULATORS_FAULT);
    }
    shows
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
