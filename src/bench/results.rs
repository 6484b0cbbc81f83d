// SPDX-License-Identifier: GPL-2.0-only
//! Results as files: `invocations.csv` and `summary.json`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use scx_alps::report::{Comparison, Summary};

use super::host::Host;
use super::round::Round;

/// The conditions under which the figures hold.
#[derive(Serialize)]
pub struct Conditions<'a> {
    pub host: &'a Host,
    pub kernel_scheduler: &'static str,
    /// The trace's name: `mixed`.
    pub trace: &'a str,
    pub layout: &'static str,
    pub load: f64,
    /// The CPUs the load is meant for.
    pub cpus: u32,
    pub seconds: f64,
}

#[derive(Serialize)]
struct SummaryFile<'a> {
    conditions: &'a Conditions<'a>,
    rounds: &'a [Round],
    overall: Sides,
    functions: Vec<FunctionSides<'a>>,
}

#[derive(Serialize)]
struct Sides {
    kernel: Option<Summary>,
    alps: Option<Summary>,
}

#[derive(Serialize)]
struct FunctionSides<'a> {
    function: &'a str,
    #[serde(flatten)]
    sides: Sides,
}

/// Writes both files to the folder `dir`, which is created if need be.
pub fn write(
    dir: &Path,
    conditions: &Conditions,
    rounds: &[Round],
    comparison: &Comparison,
) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let invocations = dir.join("invocations.csv");
    write_invocations(&invocations, rounds, &comparison.functions)
        .with_context(|| format!("cannot write {}", invocations.display()))?;
    let summary = dir.join("summary.json");
    write_summary(&summary, conditions, rounds, comparison)
        .with_context(|| format!("cannot write {}", summary.display()))
}

fn write_invocations(path: &Path, rounds: &[Round], functions: &[String]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "seed,scheduler,function,arrival_ns,first_run_ns,end_ns,\
         cpu_requested_ns,cpu_used_ns,switches"
    )?;
    for round in rounds {
        for outcome in &round.outcomes {
            let function = functions.get(outcome.function as usize);
            writeln!(
                file,
                "{},{},{},{},{},{},{},{},{}",
                round.seed,
                round.scheduler,
                function.map_or("", String::as_str),
                outcome.arrival_ns,
                outcome.first_run_ns,
                outcome.end_ns,
                outcome.cpu_requested_ns,
                outcome.cpu_used_ns,
                outcome.switches,
            )?;
        }
    }
    Ok(file.flush()?)
}

fn write_summary(
    path: &Path,
    conditions: &Conditions,
    rounds: &[Round],
    comparison: &Comparison,
) -> Result<()> {
    let kernel = comparison.baseline_outcomes();
    let alps = comparison.candidate_outcomes();
    let functions = (0..)
        .zip(&comparison.functions)
        .map(|(index, function)| FunctionSides {
            function,
            sides: Sides {
                kernel: Summary::of_function(&kernel, index),
                alps: Summary::of_function(&alps, index),
            },
        })
        .collect();
    let summary = SummaryFile {
        conditions,
        rounds,
        overall: Sides {
            kernel: Summary::of(&kernel),
            alps: Summary::of(&alps),
        },
        functions,
    };
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, &summary)?;
    writeln!(file)?;
    Ok(file.flush()?)
}
