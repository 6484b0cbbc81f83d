// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps bench`, as a scenario runs it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::daemon::PROGRAM;
use crate::report::DIRECTORY;
use crate::wait;

/// A comparison under way; dropping it kills it.
pub struct Bench {
    process: Child,
    log: PathBuf,
}

impl Bench {
    /// Start it; what it says goes to a log of the scenario.
    pub fn start(options: &[&str]) -> Result<Self> {
        let log = Path::new(DIRECTORY).join("bench.log");
        let output = File::create(&log).context("cannot create the log")?;
        let process = Command::new(PROGRAM)
            .arg("bench")
            .args(options)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start the benchmark")?;
        Ok(Self { process, log })
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: the process is our own child and not reaped, so the id is still its.
        unsafe { libc::kill(self.process.id() as i32, signal) };
    }

    pub fn await_end(&mut self, limit: Duration) -> Result<ExitStatus> {
        let mut ended = None;
        wait::until("the benchmark to end", limit, || {
            ended = self.process.try_wait()?;
            Ok(ended.is_some())
        })?;
        ended.context("the benchmark has no exit status")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Run it to its good end; what it has written to `summary.json`.
pub fn run(options: &[&str], limit: Duration) -> Result<Value> {
    let dir = Path::new(DIRECTORY).join("results");
    let dir = dir.to_string_lossy();
    // What follows '--' is the daemon's.
    let mut all = vec!["--out", &*dir];
    all.extend_from_slice(options);
    let mut bench = Bench::start(&all)?;
    let status = bench.await_end(limit)?;
    ensure!(
        status.success(),
        "expected the benchmark to end well and saw {status}: {}",
        bench.log()
    );
    let file = format!("{dir}/summary.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    serde_json::from_str(&text).with_context(|| format!("{file} makes no sense"))
}

/// The round of a scheduler, the first if there are several.
pub fn round<'a>(summary: &'a Value, scheduler: &str) -> Result<&'a Value> {
    let rounds = summary["rounds"]
        .as_array()
        .context("there are no rounds")?;
    rounds
        .iter()
        .find(|round| round["scheduler"] == scheduler)
        .with_context(|| format!("expected a round of {scheduler} and saw {rounds:?}"))
}

/// What makes a round invalid.
pub fn doubts(round: &Value) -> Vec<&str> {
    let doubts = round["doubts"].as_array().into_iter().flatten();
    doubts.filter_map(Value::as_str).collect()
}
