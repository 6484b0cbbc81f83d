// SPDX-License-Identifier: GPL-2.0-only
//! One test.

use std::time::Duration;

use anyhow::Result;

use crate::machine::Machine;
use crate::report::Report;

/// A story with the scheduler in it that must end well.
pub struct Scenario {
    /// In one word, to be asked for by.
    pub name: &'static str,
    pub title: &'static str,
    pub machine: Machine,
    /// What it may take at most, in the guest's time.
    pub limit: Duration,
    pub run: fn(&Report) -> Result<()>,
}

impl Scenario {
    /// Whether it is asked for. Without filters all are.
    pub fn matches(&self, filters: &[String]) -> bool {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| self.name.contains(filter.as_str()))
    }
}
