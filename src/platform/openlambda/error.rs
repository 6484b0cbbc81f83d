// SPDX-License-Identifier: GPL-2.0-only
//! Why a worker's configuration is refused.

use std::fmt;

use crate::identify::printable::printable;

/// A mistake in a configuration. Shows as one line:
/// `worker1/config.json: seal_priority: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, as given to the parser.
    pub file: String,
    /// The field; empty where the whole file is wrong.
    pub field: String,
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl ConfigError {
    pub(super) fn new(
        file: &str,
        field: &str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            field: field.to_owned(),
            what: what.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", printable(&self.file))?;
        if !self.field.is_empty() {
            write!(f, "{}: ", printable(&self.field))?;
        }
        write!(f, "{}; {}", printable(&self.what), printable(&self.advice))
    }
}

impl std::error::Error for ConfigError {}
