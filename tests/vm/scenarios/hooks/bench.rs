// SPDX-License-Identifier: GPL-2.0-only
//! The comparison with CFS, on the hooks.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-bench",
    title: "a trace under CFS and under the hooks, with nothing told",
    machine: Machine::HooksExact,
    limit: Duration::from_secs(90),
    run,
};

const OPTIONS: &[&str] = &[
    "--schedulers",
    "kernel,warm",
    "--seeds",
    "1",
    "--seconds",
    "5",
    "--layout",
    "flat",
];

/// Above what is reached over the traces of the benchmark: one short trace.
const MOST: f64 = 0.5;

fn run(report: &Report) -> Result<()> {
    let summary = bench::run(OPTIONS, SCENARIO.limit)?;
    let (kernel, alps) = (
        bench::round(&summary, "CFS")?,
        bench::round(&summary, "ALPS")?,
    );
    for round in [kernel, alps] {
        ensure!(
            bench::doubts(round).is_empty() && round["unserved"] == 0,
            "expected a good round and saw {round}"
        );
    }
    let slowdown = |round: &serde_json::Value| {
        round["slowdown"]["mean"]
            .as_f64()
            .context("a round has no slowdown")
    };
    let ratio = slowdown(alps)? / slowdown(kernel)?;
    report.note(format!("mean slowdown {ratio:.2} of that under CFS"));
    ensure!(
        ratio < MOST,
        "expected the mean slowdown to be less than {MOST} of that under CFS and saw {ratio:.2}"
    );
    Ok(())
}
