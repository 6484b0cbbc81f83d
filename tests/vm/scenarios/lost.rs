// SPDX-License-Identifier: GPL-2.0-only
//! Where the daemon cannot keep up, what it misses is counted.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::wait;

const PROCESSES: u64 = 4;

/// More altogether than the ring buffer of 1 MiB holds. Some end before they
/// have begun, and are none.
const NAPS: u64 = 6_000;

const LIMIT: Duration = Duration::from_secs(30);

pub const SCENARIO: Scenario = Scenario {
    name: "lost",
    title: "invocations beyond what the ring buffer holds counted as lost",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(report: &Report) -> Result<()> {
    let function = Cgroup::new("function")?;
    // Off, so that nobody waits for a stopped daemon; every nap is an idle gap.
    let daemon = Daemon::start(&["--off", "--idle-gap", "1us", "--interval", "100ms"])?;
    let counts = || -> Result<(u64, u64)> {
        let status = daemon.status()?;
        Ok((
            status.count("invocations")?,
            status.count("invocations_lost")?,
        ))
    };
    let before = counts()?;
    daemon.signal(libc::SIGSTOP);
    let nappers = (0..PROCESSES).map(|_| {
        Child::start(Some(&function), || {
            for _ in 0..NAPS {
                sleep(Duration::from_micros(1));
            }
        })
    });
    for napper in nappers.collect::<Result<Vec<_>>>()? {
        napper.finish()?;
    }
    daemon.signal(libc::SIGCONT);

    let (reported, lost) = counts()?;
    let (reported, lost) = (reported - before.0, lost - before.1);
    report.note(format!("{reported} reported, {lost} lost"));
    ensure!(lost > 0, "expected some to be lost and saw none");
    let expected = PROCESSES * NAPS / 100 * 95;
    ensure!(
        reported + lost >= expected,
        "expected {expected} to be reported or lost and saw {reported} and {lost}"
    );
    // Said once the daemon's next round is over.
    daemon.await_log("lost")?;

    // Once it keeps up again nothing more is lost.
    let before = counts()?;
    Child::start(Some(&function), || sleep(Duration::from_millis(1)))?.finish()?;
    wait::until("the next invocation to be reported", LIMIT, || {
        let (reported, lost) = counts()?;
        ensure!(lost == before.1, "expected no more to be lost");
        Ok(reported > before.0)
    })?;
    daemon.stop()
}
