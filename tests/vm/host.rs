// SPDX-License-Identifier: GPL-2.0-only
//! The host's role: boot the kernels and count what the guests report.

use std::env;
use std::io::{BufRead, BufReader, Write, stdout};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use crate::machine::Machine;
use crate::outcome::{self, Tally};
use crate::scenario::Scenario;
use crate::{runtimes, scenarios};

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

/// Where Debian has shared libraries.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Where the worker looks for Python.
const PYTHON: &str = "/usr/bin/python3";

/// Programs of the host that scenarios use.
const TOOLS: [&str; 2] = ["stress-ng", "bpftool"];

/// Run the scenarios on all kernels; whether all have passed.
pub fn run(filters: &[String]) -> Result<bool> {
    let kernels = env::var("SCX_ALPS_TEST_KERNELS").unwrap_or_else(|_| KERNELS.to_owned());
    let kernels: Vec<&str> = kernels
        .split(',')
        .map(str::trim)
        .filter(|kernel| !kernel.is_empty())
        .collect();
    let (alone, together): (Vec<Machine>, Vec<Machine>) = Machine::ALL
        .into_iter()
        .partition(|machine| machine.minds_company());
    let mut all = Tally::default();
    for kernel in &kernels {
        for &machine in &alone {
            let is_first = kernel == &kernels[0];
            all.add(run_on(kernel, is_first, machine, filters, &mut stdout())?);
        }
    }
    for machine in together {
        all.add(run_together(&kernels, machine, filters)?);
    }
    println!("{all}");
    Ok(all.failed == 0)
}

/// The same machine with each of the kernels, as many at once as there are CPUs.
fn run_together(kernels: &[&str], machine: Machine, filters: &[String]) -> Result<Tally> {
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    let mut all = Tally::default();
    let first = kernels.first();
    for kernels in kernels.chunks(at_once) {
        let ended = thread::scope(|scope| {
            let started: Vec<_> = kernels
                .iter()
                .map(|kernel| {
                    scope.spawn(move || {
                        let mut said = Vec::new();
                        let is_first = Some(kernel) == first;
                        let tally = run_on(kernel, is_first, machine, filters, &mut said);
                        (said, tally)
                    })
                })
                .collect();
            started
                .into_iter()
                .map(|run| {
                    run.join()
                        .map_err(|_| anyhow!("a machine's thread panicked"))
                })
                .collect::<Result<Vec<_>>>()
        })?;
        for (said, tally) in ended {
            stdout().write_all(&said).context("cannot print")?;
            all.add(tally?);
        }
    }
    Ok(all)
}

fn run_on(
    kernel: &str,
    is_first: bool,
    machine: Machine,
    filters: &[String],
    out: &mut dyn Write,
) -> Result<Tally> {
    let scenarios = scenarios::chosen(machine, filters, is_first);
    let has_hooks = [HOOKS, HOOKS_DEBUG].contains(&kernel);
    // What is measured there would be the cost of finding mistakes.
    let is_pointless = kernel == HOOKS_DEBUG && !machine.minds_company();
    if scenarios.is_empty() || machine.has_hooks() != has_hooks || is_pointless {
        return Ok(Tally::default());
    }
    writeln!(out, "Linux {kernel}, {}", machine.describe())?;
    let begin = Instant::now();
    let most_again = most_again()?;
    let mut tally = Tally::default();
    let mut done = 0;
    let mut tried_again = Vec::new();
    while done < scenarios.len() {
        let guest = boot(kernel, machine, &scenarios[done..], out)?;
        for _ in 0..guest.passed {
            tally.count(true);
        }
        done += guest.passed;
        let Some(scenario) = scenarios.get(done) else {
            break;
        };
        if !guest.reported_failure {
            writeln!(
                out,
                "{}",
                outcome::line(false, begin.elapsed(), scenario.title)
            )?;
            writeln!(
                out,
                "                the machine was gone before it ended ({})",
                guest.status
            )?;
        }
        let may_try = !guest.reported_failure || !tried_again.contains(&done);
        if tried_again.len() < most_again && may_try {
            writeln!(
                out,
                "AGAIN: '{}' is tried in another machine",
                scenario.title
            )?;
            tried_again.push(done);
            continue;
        }
        tally.count(false);
        done += 1;
        if !guest.reported_failure {
            // Nor would the others fare better where machines die.
            for scenario in &scenarios[done..] {
                writeln!(
                    out,
                    "{}",
                    outcome::line(false, begin.elapsed(), scenario.title)
                )?;
                tally.count(false);
            }
            break;
        }
    }
    writeln!(
        out,
        "    Linux {kernel}, {}: {:.0} s\n",
        machine.describe(),
        begin.elapsed().as_secs_f64()
    )?;
    Ok(tally)
}

fn most_again() -> Result<usize> {
    env::var("SCX_ALPS_TEST_AGAIN").map_or(Ok(MOST_AGAIN), |number| {
        number
            .parse()
            .with_context(|| format!("SCX_ALPS_TEST_AGAIN is '{number}' and must be a number"))
    })
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
    out: &mut dyn Write,
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
    command.arg("--file").arg(rlalps()?);
    for tool in TOOLS {
        command.arg("--file").arg(find(tool)?);
    }
    if scenarios::run_containers(scenarios) {
        take_runtimes(&mut command)?;
    }
    if scenarios::run_python(scenarios) {
        take_python(&mut command)?;
    }
    let mut vm = command
        .args(["--", "vm-tests", "--in-guest"])
        .args(scenarios.iter().map(|scenario| scenario.name))
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
        writeln!(out, "{line}").context("cannot print")?;
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

/// The scheduler in user space, which is of another package: cargo does not
/// build it for these tests.
fn rlalps() -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_scx_alps")).with_file_name("scx_rlalps");
    ensure!(
        path.is_file(),
        "there is no {}: run 'make build', or 'cargo build --release'",
        path.display()
    );
    Ok(path)
}

/// Take the container runtimes along, with libraries this machine may not have.
fn take_runtimes(command: &mut Command) -> Result<()> {
    let packages = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vm/packages"))
        .args(runtimes::PACKAGES)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run vm/packages")?;
    ensure!(packages.status.success(), "vm/packages failed");
    let folder = String::from_utf8(packages.stdout).context("vm/packages names no folder")?;
    let folder = Path::new(folder.trim_end());
    for program in runtimes::PROGRAMS {
        command.arg("--file").arg(folder.join(program));
    }
    let libraries = folder.join(LIBRARIES);
    command
        .arg("--file")
        .arg(format!("{0}:/{LIBRARIES}", libraries.display()))
        .env("LD_LIBRARY_PATH", libraries);
    Ok(())
}

/// Take Python along, and of its library what the worker's interpreter imports.
fn take_python(command: &mut Command) -> Result<()> {
    const INTERPRETER: &str = include_str!("../../src/worker/interpreter.py");
    const LIST: &str = "for module in list(sys.modules.values()):\n    \
        for file in (getattr(module, '__file__', None), getattr(module, '__cached__', None)):\n        \
        if file and os.path.isfile(file): print(file)\n";
    let imports = INTERPRETER
        .lines()
        .filter(|line| line.starts_with("import "));
    let script = imports.chain([LIST]).collect::<Vec<_>>().join("\n");
    let output = Command::new(PYTHON)
        .args(["-I", "-c", &script])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {PYTHON}: run 'scripts/setup vm'"))?;
    ensure!(
        output.status.success(),
        "{PYTHON} cannot import its library"
    );
    let files = String::from_utf8(output.stdout).context("Python names odd files")?;
    for file in files.lines().chain([PYTHON]) {
        command.arg("--file").arg(format!("{file}:{file}"));
    }
    Ok(())
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
