// SPDX-License-Identifier: GPL-2.0-only
//! What a function needs is learned, and short ones go first.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Responses, Stream};
use crate::{load, wait};

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_millis(300);

const SAMPLES: u64 = 10;

/// How far a prediction may be from the truth.
const TOLERANCE: f64 = 0.1;

pub const SCENARIO: Scenario = Scenario {
    name: "learning",
    title: "functions are learned, and a short one preempts long ones",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run: |report| run(report, 2.0),
};

/// A short invocation takes at least `gain` times as long without ALPS.
pub fn run(report: &Report, gain: f64) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(&["--interval", "100ms"])?;
    load::finish(load::start(&long, 4, LONG)?)?;
    load::finish(load::start(&short, SAMPLES as usize, SHORT)?)?;
    wait::until("both to be learned", Duration::from_secs(5), || {
        Ok(daemon.function("short")?.count("samples")? == SAMPLES
            && daemon.function("long")?.count("samples")? == 4)
    })?;
    let (short_row, long_row) = (daemon.function("short")?, daemon.function("long")?);
    for (row, truth) in [(&short_row, SHORT), (&long_row, LONG)] {
        let predicted = row.time("predicted_ns")?;
        let error = predicted.as_secs_f64() / truth.as_secs_f64() - 1.0;
        ensure!(
            error.abs() < TOLERANCE,
            "expected a prediction of about {truth:?} and saw {row:?}"
        );
    }
    ensure!(
        short_row.time("bias_ns")? * 4 < long_row.time("bias_ns")?,
        "expected the short function to have a much smaller bias: {short_row:?}, {long_row:?}"
    );

    let busy = (0..4)
        .map(|number| Cgroup::new(&format!("busy-{number}")))
        .collect::<Result<Vec<Cgroup>>>()?;
    let _hogs = busy
        .iter()
        .map(|cgroup| load::hogs(cgroup, 1))
        .collect::<Result<Vec<_>>>()?;
    sleep(Duration::from_millis(100));
    let alps = responses(&short)?;
    daemon.off()?;
    let kernel = responses(&short)?;
    report.note(format!(
        "20 ms beside 4 long ones on 2 CPUs: {:.1} ms with ALPS, {:.1} ms without",
        millis(alps.mean),
        millis(kernel.mean)
    ));
    ensure!(
        alps.mean < SHORT * 6 / 5 && alps.mean.mul_f64(gain) < kernel.mean,
        "expected a short invocation to take little more than its {SHORT:?} with ALPS and {gain} \
         times as long without, and saw {:?} and {:?}",
        alps.mean,
        kernel.mean
    );
    daemon.stop()
}

/// One short invocation now and then.
fn responses(short: &Cgroup) -> Result<Responses> {
    let pace = Arrivals::Every(Duration::from_millis(100));
    let stream = Stream::start(short, SHORT, pace, Entry::Born)?;
    sleep(Duration::from_millis(990));
    stream.stop()
}
