// SPDX-License-Identifier: GPL-2.0-only
//! Who is in no function, a login say, is not kept waiting by functions.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin};
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};

const TURNS: usize = 100;

/// The hogs want eight times what the machine has: before long they have
/// waited for longer than the largest bias.
const HOGS_EACH: usize = 8;
const SATURATED: Duration = Duration::from_secs(4);
const OPTIONS: &[&str] = &["--max-bias", "1s"];

/// Of 100 turns the 99th slowest must be below it; a slice is 5 ms.
const P99_LIMIT: Duration = Duration::from_millis(1);

pub const SCENARIO: Scenario = Scenario {
    name: "responsiveness",
    title: "a generic task wakes up at once on a saturated machine",
    machine: Machine::Exact,
    limit: Duration::from_secs(30),
    run,
};

/// How late each wake-up was, in nanoseconds.
struct Lateness([AtomicU64; TURNS]);

// SAFETY: all fields are atomic integers.
unsafe impl Board for Lateness {}

fn run(report: &Report) -> Result<()> {
    let functions = [Cgroup::new("one")?, Cgroup::new("other")?];
    let daemon = Daemon::start(OPTIONS)?;
    let _hogs = functions
        .iter()
        .map(|function| load::hogs(function, HOGS_EACH))
        .collect::<Result<Vec<_>>>()?;
    sleep(SATURATED);

    let lateness = Shared::<Lateness>::new()?;
    Child::start(None, || {
        for late in &lateness.0 {
            const SLEEP: Duration = Duration::from_millis(20);
            let due = Instant::now() + SLEEP;
            sleep(SLEEP);
            late.store(due.elapsed().as_nanos() as u64, Relaxed);
            spin(Duration::from_micros(200));
        }
    })?
    .finish()?;

    let mut late: Vec<u64> = lateness.0.iter().map(|late| late.load(Relaxed)).collect();
    late.sort_unstable();
    let at = |index: usize| Duration::from_nanos(late[index]);
    let (median, p99) = (at(TURNS / 2), at(TURNS * 99 / 100));
    report.note(format!(
        "{:.3} ms late (median), {:.3} ms (p99)",
        millis(median),
        millis(p99)
    ));
    ensure!(
        p99 < P99_LIMIT,
        "expected a generic task to wake up at most {P99_LIMIT:?} late (p99) and saw {late:?} ns"
    );
    daemon.stop()
}
