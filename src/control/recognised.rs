// SPDX-License-Identifier: GPL-2.0-only
//! What `scx_alps functions` asks the daemon for.

use scx_alps::identify::{FunctionName, Source};
use serde::{Deserialize, Serialize};

/// A function that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recognised {
    pub name: String,
    /// By what it was recognised.
    pub source: String,
    /// Who could have chosen the name: `sure`, `declared` or `spoofable`.
    pub certainty: String,
    /// How many cgroups it has now.
    pub cgroups: usize,
    /// One of them; empty where it has none.
    pub cgroup: String,
    /// What the name was taken from, where the platform told it.
    pub from: String,
}

impl Recognised {
    pub fn new(name: &FunctionName, source: Source) -> Self {
        Self {
            name: name.to_string(),
            source: source.as_str().to_owned(),
            certainty: source.certainty().as_str().to_owned(),
            ..Self::default()
        }
    }
}
