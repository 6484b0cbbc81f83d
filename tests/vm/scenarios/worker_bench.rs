// SPDX-License-Identifier: GPL-2.0-only
//! A benchmark over HTTP: worker, client and scheduler together.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

pub const SCENARIO: Scenario = Scenario {
    name: "bench-http",
    title: "requests over HTTP are all served, under either scheduler",
    machine: Machine::Parallel,
    limit: Duration::from_secs(120),
    run,
};

const OPTIONS: &[&str] = &[
    "--http",
    "--schedulers",
    "kernel,cold",
    "--seeds",
    "1",
    "--seconds",
    "3",
    "--load",
    "0.3",
];

fn run(report: &Report) -> Result<()> {
    let summary = bench::run(OPTIONS, SCENARIO.limit)?;
    for scheduler in ["EEVDF", "ALPS"] {
        let round = bench::round(&summary, scheduler)?;
        ensure!(
            round["unserved"] == 0,
            "expected all requests to be served and saw {round}"
        );
        let mean = round["response_ms"]["mean"].as_f64();
        let mean = mean.context("no mean response")?;
        report.note(format!("{scheduler}: mean response {mean:.1} ms"));
    }
    Ok(())
}
