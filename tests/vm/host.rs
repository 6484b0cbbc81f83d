// SPDX-License-Identifier: GPL-2.0-only
//! The host's role: boot the kernels and count what the guests report.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
            let scenarios: Vec<&Scenario> = scenarios::chosen(filters)
                .filter(|scenario| scenario.machine == machine)
                .collect();
            if !scenarios.is_empty() {
                all.add(boot(kernel, machine, &scenarios, filters)?);
            }
        }
    }
    println!("{all}");
    Ok(all.failed == 0)
}

fn boot(
    kernel: &str,
    machine: Machine,
    scenarios: &[&Scenario],
    filters: &[String],
) -> Result<Tally> {
    println!("Linux {kernel}, {}", machine.describe());
    let begin = Instant::now();
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
        .args(filters)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run vm/run")?;

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
    let took = begin.elapsed();
    for scenario in &scenarios[reported.min(scenarios.len())..] {
        println!("{}", outcome::line(false, took, scenario.title));
        println!("                the machine was gone before it ended ({status})");
        tally.count(false);
    }
    println!(
        "    Linux {kernel}, {}: {:.0} s\n",
        machine.describe(),
        took.as_secs_f64()
    );
    Ok(tally)
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
