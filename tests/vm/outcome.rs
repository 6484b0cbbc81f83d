// SPDX-License-Identifier: GPL-2.0-only
//! How a scenario ended, as the guest prints it and the host counts it.

use std::time::Duration;

const OK: &str = "ok ";
const FAILED: &str = "FAILED ";

/// The line that tells of a scenario's end.
pub fn line(passed: bool, took: Duration, title: &str) -> String {
    let mark = if passed { OK } else { FAILED };
    format!("{mark:7}{:6.1} s  {title}", took.as_secs_f64())
}

/// Whether a line tells of a pass or a failure; `None` for any other line.
pub fn read(line: &str) -> Option<bool> {
    if line.starts_with(OK) {
        Some(true)
    } else if line.starts_with(FAILED) {
        Some(false)
    } else {
        None
    }
}

/// How many scenarios passed and failed.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
}

impl Tally {
    pub fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
