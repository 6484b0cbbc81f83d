// SPDX-License-Identifier: GPL-2.0-only
//! Long-lived servers that pause within an invocation serve all requests, and
//! are observed as invocations.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench;
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;

pub const SCENARIO: Scenario = Scenario {
    name: "bench-server",
    title: "servers take requests, and each is an invocation",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(report: &Report) -> Result<()> {
    let state = Path::new(DIRECTORY).join("state.json");
    let state = state.to_string_lossy();
    let options = [
        &["--server", "--io", "0.5", "--io-pause", "2ms"][..],
        &["--schedulers", "cold", "--seeds", "1", "--seconds", "3"],
        &["--load", "0.3", "--", "--state", &*state],
    ]
    .concat();
    let summary = bench::run(&options, SCENARIO.limit)?;
    let round = bench::round(&summary, "ALPS")?;
    let requests = round["invocations"].as_u64().context("no invocations")?;
    ensure!(
        round["unserved"] == 0,
        "expected all requests to be served and saw {round}"
    );
    ensure!(
        round["slowdown"]["mean"]
            .as_f64()
            .is_some_and(|mean| mean > 0.9),
        "expected pauses to count as part of what a request takes alone, and saw {round}"
    );

    let text = fs::read_to_string(&*state).context("the daemon has saved nothing")?;
    let learned: Value = serde_json::from_str(&text)?;
    let functions = learned["functions"].as_array().context("no functions")?;
    let names: Vec<_> = functions
        .iter()
        .filter_map(|f| f["name"].as_str())
        .collect();
    report.note(format!("{requests} requests, learned: {}", names.join(" ")));
    ensure!(
        names.iter().filter(|name| name.contains("ms")).count() == 9,
        "expected nine functions to be learned and saw {names:?}"
    );
    Ok(())
}
