// SPDX-License-Identifier: GPL-2.0-only
//! Who is told the truth orders by it: close to the simulated bound.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;

pub const SCENARIO: Scenario = Scenario {
    name: "bench-oracle",
    title: "told what invocations will take, it comes close to the bound",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

/// In one cgroup for all, so that nothing could be learned of functions.
const OPTIONS: &[&str] = &[
    "--oracle",
    "--schedulers",
    "kernel",
    "--layout",
    "plain",
    "--seconds",
    "3",
    "--seeds",
    "1",
];

fn run(report: &Report) -> Result<()> {
    let summary = bench::run(OPTIONS, SCENARIO.limit)?;
    let mean = |scheduler: &str, figure: &str| {
        let round = bench::round(&summary, scheduler)?;
        let mean = round[figure]["mean"].as_f64();
        mean.with_context(|| format!("no mean {figure} of {scheduler}"))
    };
    let (kernel, oracle) = ("EEVDF", "oracle");
    let bound = "SRPT simulated";
    report.note(format!(
        "mean response {:.1} ms, {:.1} simulated, {:.1} under {kernel}; slowdown {:.2}, {:.2}, {:.2}",
        mean(oracle, "response_ms")?,
        mean(bound, "response_ms")?,
        mean(kernel, "response_ms")?,
        mean(oracle, "slowdown")?,
        mean(bound, "slowdown")?,
        mean(kernel, "slowdown")?,
    ));
    let doubts = bench::doubts(bench::round(&summary, oracle)?);
    ensure!(doubts.is_empty(), "expected a valid round: {doubts:?}");
    ensure!(
        mean(oracle, "response_ms")? < 1.15 * mean(bound, "response_ms")?
            && mean(oracle, "slowdown")? < 1.5 * mean(bound, "slowdown")?,
        "expected the oracle close to the simulated bound"
    );
    ensure!(
        mean(oracle, "slowdown")? < 0.8 * mean(kernel, "slowdown")?,
        "expected the oracle to be far better than {kernel}"
    );
    Ok(())
}
