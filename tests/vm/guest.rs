// SPDX-License-Identifier: GPL-2.0-only
//! The guest's role: run the scenarios and judge them.

use std::io::{Write, stdout};
use std::panic;
use std::process::exit;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, setsid};

use crate::kernel_log::KernelLog;
use crate::leftovers::Before;
use crate::outcome::{self, Tally};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{scenarios, wait};

/// Run the scenarios of these names until one fails; whether all have passed.
pub fn run(names: &[String]) -> Result<bool> {
    // Orphans of a scenario come to us and not to init.
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };

    let mut tally = Tally::default();
    for name in names {
        tally.count(run_one(scenarios::named(name)?)?);
        // What failed may have left the machine in any state.
        if tally.failed > 0 {
            break;
        }
    }
    println!("{tally}");
    Ok(tally.failed == 0)
}

fn run_one(scenario: &Scenario) -> Result<bool> {
    let report = Report::begin()?;
    let before = Before::look();
    let kernel_log = KernelLog::from_now()?;
    let begin = Instant::now();

    if let Err(error) = in_a_process(scenario, &report) {
        report.fail(format!("{error:#}"));
    }
    let took = begin.elapsed();
    let left = before.tidy_up();
    if !left.is_empty() {
        report.fail(format!("left behind: {}", left.join(", ")));
    }
    reap_orphans();
    let trouble = kernel_log.trouble()?;
    if !trouble.is_empty() {
        report.fail(format!("the kernel complained:\n{}", trouble.join("\n")));
    }

    let failure = report.failure();
    let passed = failure.is_empty();
    println!("{}", outcome::line(passed, took, scenario.title));
    print_indented(&report.notes());
    if !passed {
        print_indented(&failure);
        for (name, log) in report.daemon_logs() {
            println!("    --- {name}");
            print_indented(&log);
        }
    }
    stdout().flush().context("cannot print")?;
    Ok(passed)
}

/// In a process of its own a scenario can panic, hang or leak as it likes.
fn in_a_process(scenario: &Scenario, report: &Report) -> Result<()> {
    stdout().flush().context("cannot print")?;
    // SAFETY: there is only one thread, so the child may do anything.
    let child = match unsafe { fork() }.context("cannot fork")? {
        ForkResult::Child => {
            let _ = setsid();
            exit(i32::from(!tell(scenario, report)));
        }
        ForkResult::Parent { child } => child,
    };

    let mut ended = None;
    let waited = wait::until("the end of the scenario", scenario.limit, || {
        let status = waitpid(child, Some(WaitPidFlag::WNOHANG))?;
        ended = (status != WaitStatus::StillAlive).then_some(status);
        Ok(ended.is_some())
    });
    match ended {
        Some(WaitStatus::Exited(_, _)) => waited,
        Some(status) => bail!("expected the scenario to end by itself and saw {status:?}"),
        None => waited,
    }
}

/// The scenario itself, whose failure goes into the report.
fn tell(scenario: &Scenario, report: &Report) -> bool {
    let outcome = panic::catch_unwind(|| (scenario.run)(report));
    let why = match outcome {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("it panicked")
            .to_owned(),
    };
    report.fail(why);
    false
}

fn reap_orphans() {
    let any = Pid::from_raw(-1);
    let patience = Duration::from_secs(2);
    // None left is the good end, any still running was told of as left behind.
    let _ = wait::until("no children", patience, || {
        loop {
            match waitpid(any, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return Ok(false),
                Ok(_) => {}
                Err(_) => return Ok(true),
            }
        }
    });
}

fn print_indented(text: &str) {
    for line in text.lines() {
        println!("                {line}");
    }
}
