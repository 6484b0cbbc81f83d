// SPDX-License-Identifier: GPL-2.0-only
//! Many more long tasks than CPUs, for long: who wakes up or arrives then is
//! not kept waiting by all the waiting they have done.

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

/// With a small bound on the bias, what would take minutes takes seconds.
const OPTIONS: &[&str] = &["-k", "4", "--max-bias", "500ms"];
const HOGS: usize = 16;
const PILED_UP: Duration = Duration::from_secs(6);

/// Wake-ups watched, all of them within a few seconds if all is well.
const TURNS: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// A slice each for the few that are in front, on a slow machine.
const LIMIT: Duration = Duration::from_millis(250);

pub const SCENARIO: Scenario = Scenario {
    name: "backlog",
    title: "a backlog of long tasks keeps no newcomer waiting",
    machine: Machine::Parallel,
    limit: Duration::from_secs(120),
    run,
};

/// The sum of how late the wake-ups were, in nanoseconds.
struct Lateness(AtomicU64);

// SAFETY: an atomic integer.
unsafe impl Board for Lateness {}

fn run(report: &Report) -> Result<()> {
    let long = Cgroup::new("long")?;
    let daemon = Daemon::start(OPTIONS)?;
    let _hogs = load::hogs(&long, HOGS)?;
    sleep(PILED_UP);

    let lateness = Shared::<Lateness>::new()?;
    Child::start(None, || {
        for _ in 0..TURNS {
            let due = Instant::now() + PAUSE;
            sleep(PAUSE);
            let late = due.elapsed().as_nanos() as u64;
            lateness.0.fetch_add(late, Relaxed);
            spin(Duration::from_micros(200));
        }
    })?
    .finish()?;
    let late = Duration::from_nanos(lateness.0.load(Relaxed) / TURNS as u64);
    report.note(format!("{:.1} ms late on average", millis(late)));
    ensure!(
        late < LIMIT,
        "expected a generic task to run soon after it wakes up, within {LIMIT:?} on average, and \
         saw {late:?}"
    );
    daemon.stop()
}
