// SPDX-License-Identifier: GPL-2.0-only
//! A running daemon is asked what it has learned and told to learn otherwise,
//! by the commands its users have.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cgroup::Cgroup;
use crate::daemon::{Daemon, PROGRAM};
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;
use crate::{load, wait};

const FUNCTION: &str = "resize";
const CPU: Duration = Duration::from_millis(20);
const COUNT: u64 = 10;

/// How far what is told may be from the truth.
const TOLERANCE: f64 = 0.1;

/// Changes that are refused, and what the sentence must hold.
const REFUSED: &[(&[&str], &str)] = &[
    (&[], "nothing to set"),
    (&["--ml", "oracle"], "oracle"),
    (&["--alpha", "-1"], "alpha is -1"),
    (&["--alpha", "NaN"], "--alpha"),
    (&["--theta", "100"], "theta is 100"),
    // What could be changed is not, when something else is wrong.
    (&["-k", "3", "--gamma", "0"], "gamma is 0"),
];

pub const SCENARIO: Scenario = Scenario {
    name: "settings",
    title: "set, explain, policy and --exp_result on a running daemon",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let cgroup = Cgroup::new(FUNCTION)?;
    let [results, table] = ["exp.csv", "table.json"].map(|name| {
        let path = Path::new(DIRECTORY).join(name);
        path.to_string_lossy().into_owned()
    });
    let daemon = Daemon::start(&["--interval", "100ms", "--exp_result", &results, "-k", "16"])?;
    for _ in 0..COUNT {
        load::finish(load::start(&cgroup, 1, CPU)?)?;
    }
    wait::until("all to be learned", Duration::from_secs(10), || {
        Ok(daemon.function(FUNCTION)?.count("samples")? == COUNT)
    })?;

    explained(report)?;
    let before = bias_ns(&table)?;
    refused(&daemon)?;

    // What is set is in force with the answer, and reaches the table.
    let said = told(&[
        "set",
        "--ml",
        "gittins",
        "--objective",
        "slowdown",
        "-k",
        "16",
    ])?;
    expect_all(&said, &["gittins for slowdown", "bias factor 16"])?;
    let said = told(&["set", "--ml", "avg", "-k", "8", "--unpred", "off"])?;
    expect_all(&said, &["avg, bias factor 8", "8 in force", "unpred off"])?;
    told(&["set", "--ml", "gittins", "--objective", "response"])?;
    daemon.await_round()?;
    let settings: Value = serde_json::from_str(&told(&["status", "--json"])?)?;
    let settings = &settings["settings"];
    ensure!(
        settings["ml"] == "gittins"
            && settings["bias_factor"] == 8.0
            && settings["unpred"] == false,
        "expected what was set and saw {settings}"
    );
    told(&["set", "--ml", "avg", "-k", "16"])?;
    daemon.await_round()?;
    let same = bias_ns(&table)?;
    told(&["set", "-k", "8"])?;
    daemon.await_round()?;
    let half = bias_ns(&table)?;
    ensure!(
        (same / half - 2.0).abs() < 0.01,
        "expected half the factor to halve the bias of {same} ns and saw {half}"
    );
    report.note(format!(
        "bias {:.0} ms at first, {:.0} ms by avg, {:.0} ms with half the factor",
        before / 1e6,
        same / 1e6,
        half / 1e6
    ));

    daemon.stop()?;
    experiment(&results)
}

fn explained(report: &Report) -> Result<()> {
    let said = told(&["explain", FUNCTION])?;
    report.note(said.lines().next().unwrap_or_default());
    expect_all(
        &said,
        &[
            FUNCTION,
            "leaf cgroup",
            &format!("last {COUNT} invocations"),
            "bias of",
        ],
    )?;
    ensure!(
        said.lines().all(|line| line.chars().count() <= 80),
        "expected no line longer than 80 columns in {said}"
    );
    let explanations: Value = serde_json::from_str(&told(&["explain", FUNCTION, "--json"])?)?;
    let explanation = &explanations[0];
    let mean_ns = explanation["mean_ns"].as_f64().context("no mean")?;
    ensure!(
        about(mean_ns / 1e9, CPU.as_secs_f64()) && explanation["samples"] == COUNT,
        "expected {COUNT} samples of {CPU:?} and saw {explanation}"
    );
    let nobody = ask(&["explain", "nobody"])?;
    ensure!(
        !nobody.status.success() && text(&nobody.stderr).contains("nobody"),
        "expected to be told that there is no such function and saw {nobody:?}"
    );
    Ok(())
}

fn refused(daemon: &Daemon) -> Result<()> {
    let before = told(&["status", "--json"])?;
    for (options, sentence) in REFUSED {
        let answer = ask(&[&["set"], *options].concat())?;
        let said = text(&answer.stderr);
        ensure!(
            !answer.status.success() && said.contains(sentence) && !said.contains("panicked"),
            "expected {options:?} to be refused with '{sentence}' and saw {answer:?}"
        );
    }
    let settings = |status: &str| -> Result<Value> {
        Ok(serde_json::from_str::<Value>(status)?["settings"].take())
    };
    let after = told(&["status", "--json"])?;
    ensure!(
        settings(&before)? == settings(&after)?,
        "expected refusals to change nothing and saw {before}, {after}"
    );
    ensure!(daemon.status()?.flag("enforcing")?, "expected it to go on");
    Ok(())
}

/// The bias the function starts out with, by the table that is saved.
fn bias_ns(file: &str) -> Result<f64> {
    let printed = told(&["policy"])?;
    expect_all(&printed, &["rank", FUNCTION, "not seen yet"])?;
    told(&["policy", "--save", file])?;
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let table: Value = serde_json::from_str(&text)?;
    let bias_ns = table["functions"][FUNCTION]["bias_ns"][0].as_f64();
    bias_ns.with_context(|| format!("expected a bias of {FUNCTION} and saw {table}"))
}

/// What is written on exit.
fn experiment(file: &str) -> Result<()> {
    let csv = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let mut lines = csv.lines();
    ensure!(
        lines.next() == Some("function,amount,total_running_ms,average_running_ms"),
        "expected the header of an experiment and saw {csv}"
    );
    let row = lines.find_map(|line| line.strip_prefix(&format!("{FUNCTION},")));
    let row = row.with_context(|| format!("expected a row of {FUNCTION} and saw {csv}"))?;
    let figures = row
        .split(',')
        .map(str::parse::<f64>)
        .collect::<Result<Vec<_>, _>>()?;
    let mean_ms = CPU.as_secs_f64() * 1e3;
    match figures[..] {
        [amount, total_ms, average_ms] => ensure!(
            amount == COUNT as f64
                && about(average_ms, mean_ms)
                && about(total_ms, average_ms * amount),
            "expected {COUNT} invocations of {mean_ms} ms and saw {row}"
        ),
        _ => ensure!(false, "expected three figures and saw {row}"),
    }
    Ok(())
}

fn about(seen: f64, expected: f64) -> bool {
    (seen / expected - 1.0).abs() < TOLERANCE
}

fn expect_all(said: &str, parts: &[&str]) -> Result<()> {
    // Wherever its lines are broken.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        ensure!(said.contains(part), "expected '{part}' in {said}");
    }
    Ok(())
}

/// What a command prints, which must end well.
fn told(command: &[&str]) -> Result<String> {
    let output = ask(command)?;
    ensure!(
        output.status.success(),
        "expected {command:?} to end well and saw {output:?}"
    );
    Ok(text(&output.stdout))
}

fn ask(command: &[&str]) -> Result<Output> {
    let output = Command::new(PROGRAM).args(command).output();
    output.with_context(|| format!("cannot run {command:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
