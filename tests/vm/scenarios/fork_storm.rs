// SPDX-License-Identifier: GPL-2.0-only
//! Very many very short processes: none is lost, and nothing grows.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::{counters, load, proc, wait};

const FORKERS: usize = 8;
const EACH: usize = 1250;

/// What the daemon may grow by, in KiB.
const GROWTH_LIMIT_KIB: u64 = 32 << 10;

/// One process in so many may go unnoticed, if it is counted as such: the
/// kernel has no memory for a task's context at any moment.
const UNTRACKED_SHARE: u64 = 100;

pub const SCENARIO: Scenario = Scenario {
    name: "fork-storm",
    title: "a fork storm of 10,000 processes",
    machine: Machine::Parallel,
    limit: Duration::from_secs(180),
    run,
};

fn run(report: &Report) -> Result<()> {
    let cgroups = [Cgroup::new("storm-a")?, Cgroup::new("storm-b")?];
    // No process may count twice for having waited long for a lock.
    let daemon = Daemon::start(&["--idle-gap", "30s", "--interval", "50ms"])?;
    let before_kib = proc::resident_kib(daemon.pid())?;

    let forkers = (0..FORKERS)
        .map(|number| Child::start(Some(&cgroups[number % cgroups.len()]), || storm(EACH)))
        .collect::<Result<Vec<Child>>>()?;
    load::finish(forkers)?;

    let expected = (FORKERS * EACH + FORKERS) as u64;
    let mut seen = counters::read()?;
    let accounted = |seen: &counters::Counters| {
        seen["invocations"] + seen["invocations_lost"] + seen["tasks_untracked"]
    };
    // The last exits may be on their way through the scheduler still.
    let complete = wait::until("all invocations", Duration::from_secs(5), || {
        seen = counters::read()?;
        Ok(accounted(&seen) >= expected)
    });
    ensure!(
        complete.is_ok() && accounted(&seen) == expected,
        "expected {expected} invocations, lost and untracked ones included, and saw {seen:?}"
    );
    ensure!(
        seen["tasks_untracked"] * UNTRACKED_SHARE <= expected,
        "expected hardly any untracked tasks and saw {seen:?}"
    );

    let growth_kib = proc::resident_kib(daemon.pid())?.saturating_sub(before_kib);
    report.note(format!(
        "{} lost to a full buffer, {} untracked, the daemon grew by {growth_kib} KiB",
        seen["invocations_lost"], seen["tasks_untracked"]
    ));
    ensure!(
        growth_kib < GROWTH_LIMIT_KIB,
        "expected the daemon to grow by less than {GROWTH_LIMIT_KIB} KiB and saw {growth_kib}"
    );
    daemon.stop()
}

/// Processes that share their parent's memory, as `vfork` makes them: to copy
/// it would take most of the time, and is none of the scheduler's business.
pub fn storm(count: usize) {
    extern "C" fn end(_: *mut libc::c_void) -> libc::c_int {
        0
    }
    let mut stack = [0u128; 1024];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    for _ in 0..count {
        let mut status = 0;
        // SAFETY: the child ends before the call returns and has a stack of
        // its own until then; `status` outlives the wait.
        let (child, reaped) = unsafe {
            let top = stack.as_mut_ptr_range().end.cast();
            let child = libc::clone(end, top, flags, std::ptr::null_mut());
            (child, libc::waitpid(child, &mut status, 0))
        };
        assert!(
            child > 0 && reaped == child && status == 0,
            "expected process {child} to end well, saw {reaped} end with {status:#x}"
        );
    }
}
