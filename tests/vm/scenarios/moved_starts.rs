// SPDX-License-Identifier: GPL-2.0-only
//! Most platforms fork first and then move the child into its cgroup, which
//! takes locks that all forks and exits need. That must cost no more than
//! being born in the cgroup.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::known;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Responses, Stream};

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_millis(100);

pub const SCENARIO: Scenario = Scenario {
    name: "moved-starts",
    title: "functions moved into their cgroup do as well as those born there",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = known::start(&[("short", SHORT), ("long", LONG)], &[])?;
    // Long ones keep the CPUs busy, and come and go by the same door.
    let longs = Stream::start(&long, LONG, Arrivals::Always(4), Entry::Moved)?;
    let born = responses(&short, Entry::Born)?;
    let moved = responses(&short, Entry::Moved)?;
    longs.stop()?;
    report.note(format!(
        "{:.2} ms when born there, {:.2} ms when moved",
        millis(born.mean),
        millis(moved.mean)
    ));
    ensure!(
        moved.mean < born.mean * 2,
        "expected functions that are moved to take about {:?} as those born there, and saw {:?}",
        born.mean,
        moved.mean
    );
    daemon.stop()
}

fn responses(short: &Cgroup, entry: Entry) -> Result<Responses> {
    let stream = Stream::start(
        short,
        SHORT,
        Arrivals::Every(Duration::from_millis(5)),
        entry,
    )?;
    sleep(Duration::from_millis(800));
    stream.stop()
}
