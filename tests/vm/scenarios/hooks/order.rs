// SPDX-License-Identifier: GPL-2.0-only
//! The order follows the bias: short invocations pass long ones, and not as they
//! would without it.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Responses, Stream};

/// What a short invocation needs, alone little more.
const SHORT: Duration = Duration::from_millis(5);

/// So long it may take among endless ones, on average.
const LIMIT: Duration = Duration::from_millis(8);

const WATCHED: Duration = Duration::from_secs(3);
const OPTIONS: &[&str] = &["--interval", "200ms", "--off"];

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-order",
    title: "short invocations pass long ones by the hooks in CFS",
    machine: Machine::HooksExact,
    limit: Duration::from_secs(60),
    run,
};

/// In one pod with the long ones, which was queued for them.
pub const NESTED: Scenario = Scenario {
    name: "hooks-nested",
    title: "a pod is as urgent as its most urgent container",
    machine: Machine::HooksExact,
    limit: Duration::from_secs(60),
    run: run_nested,
};

fn run(report: &Report) -> Result<()> {
    compare(report, "short", &["long", "longer"])
}

fn run_nested(report: &Report) -> Result<()> {
    compare(report, "pod/short", &["pod/long", "other/long"])
}

fn compare(report: &Report, short: &str, long: &[&str]) -> Result<()> {
    let short = Cgroup::new(short)?;
    let long = long
        .iter()
        .map(|name| Cgroup::new(name))
        .collect::<Result<Vec<_>>>()?;
    for pod in ["pod", "other"] {
        let controls = format!("{}/{pod}/cgroup.subtree_control", crate::cgroup::ROOT);
        if std::path::Path::new(&controls).exists() {
            std::fs::write(controls, "+cpu")?;
        }
    }
    let daemon = Daemon::start(OPTIONS)?;
    let _hogs = long
        .iter()
        .map(|cgroup| load::hogs(cgroup, 4))
        .collect::<Result<Vec<_>>>()?;

    let off = responses(&short)?;
    daemon.on()?;
    // What it has learned by now.
    sleep(Duration::from_millis(500));
    let on = responses(&short)?;
    for (which, responses) in [("off", off), ("on", on)] {
        report.note(format!(
            "{which}: {} short ones, {:.1} ms on average, {:.1} ms at most",
            responses.count,
            millis(responses.mean),
            millis(responses.longest)
        ));
    }
    ensure!(
        on.mean < LIMIT && on.mean < off.mean,
        "expected short invocations to take less than {LIMIT:?} on average and saw {:?} (off: {:?})",
        on.mean,
        off.mean
    );
    daemon.stop()
}

fn responses(short: &Cgroup) -> Result<Responses> {
    let pace = Arrivals::Every(Duration::from_millis(40));
    let stream = Stream::start(short, SHORT, pace, Entry::Born)?;
    sleep(WATCHED);
    stream.stop()
}
