// SPDX-License-Identifier: GPL-2.0-only
//! What a scenario has to say beside passing or failing.
//!
//! It runs in a process of its own, so what it says goes through files.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the scenario under way keeps its files.
pub const DIRECTORY: &str = "/run/vm-tests";

/// The notes of one scenario.
pub struct Report {
    notes: PathBuf,
    failure: PathBuf,
}

impl Report {
    /// An empty report; what is left of the last one is removed.
    pub fn begin() -> Result<Self> {
        let directory = Path::new(DIRECTORY);
        if directory.exists() {
            fs::remove_dir_all(directory).with_context(|| format!("cannot empty {DIRECTORY}"))?;
        }
        fs::create_dir_all(directory).with_context(|| format!("cannot create {DIRECTORY}"))?;
        Ok(Self {
            notes: directory.join("notes"),
            failure: directory.join("failure"),
        })
    }

    /// Say what was measured; it is printed with the result.
    pub fn note(&self, text: impl AsRef<str>) {
        append(&self.notes, text.as_ref());
    }

    /// Say what went wrong.
    pub fn fail(&self, text: impl AsRef<str>) {
        append(&self.failure, text.as_ref());
    }

    pub fn notes(&self) -> String {
        fs::read_to_string(&self.notes).unwrap_or_default()
    }

    pub fn failure(&self) -> String {
        fs::read_to_string(&self.failure).unwrap_or_default()
    }

    /// The logs of the daemons the scenario started, in the order of their start.
    pub fn daemon_logs(&self) -> Vec<(String, String)> {
        let mut logs: Vec<(String, String)> = fs::read_dir(DIRECTORY)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|ending| ending == "log")
            })
            .map(|entry| {
                let text = fs::read(entry.path()).unwrap_or_default();
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, String::from_utf8_lossy(&text).into_owned())
            })
            .collect();
        logs.sort();
        logs
    }
}

fn append(path: &Path, text: &str) {
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{text}"));
    if let Err(error) = written {
        eprintln!("vm: cannot note '{text}': {error}");
    }
}
