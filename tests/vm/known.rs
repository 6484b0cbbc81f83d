// SPDX-License-Identifier: GPL-2.0-only
//! Functions a daemon knows from an earlier life, as a state file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::report::DIRECTORY;

/// Enough for a daemon to be sure.
const SAMPLES: usize = 20;

/// Functions by cgroup, and the CPU time their invocations have always needed.
pub type Known<'a> = &'a [(&'a str, Duration)];

/// Start a daemon that knows these functions.
pub fn start(known: Known<'_>, options: &[&str]) -> Result<Daemon> {
    let state = write(known)?;
    let state = state.to_string_lossy();
    let daemon = Daemon::start(&[&["--state", &*state], options].concat())?;
    for (name, cpu) in known {
        let row = daemon.function(name)?;
        ensure!(
            row.time("predicted_ns")? == *cpu,
            "expected '{name}' to be known as a function of {cpu:?} and saw {row:?}: is the \
             state file's format another by now?"
        );
    }
    Ok(daemon)
}

fn write(known: Known<'_>) -> Result<PathBuf> {
    let functions: Vec<Value> = known
        .iter()
        .map(|(name, cpu)| {
            let history = vec![cpu.as_nanos() as u64; SAMPLES];
            json!({ "name": name, "source": "leaf_cgroup", "history": history })
        })
        .collect();
    let path = Path::new(DIRECTORY).join("known.json");
    fs::write(
        &path,
        json!({ "format": 1, "functions": functions }).to_string(),
    )
    .context("cannot write a state file")?;
    Ok(path)
}
