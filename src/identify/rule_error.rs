// SPDX-License-Identifier: GPL-2.0-only
//! Why a file of rules is refused.

use std::fmt;

use super::printable::printable;

/// A mistake in a file of rules. Shows as one line:
/// `functions.toml:12: function[2].cgroup: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as given to [`Rules::parse`](super::Rules::parse).
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The key, rules counted from 1; empty where the file is no TOML.
    pub key: String,
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", printable(&self.file), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", printable(&self.key))?;
        }
        write!(f, "{}; {}", printable(&self.what), printable(&self.advice))
    }
}

impl std::error::Error for RuleError {}
