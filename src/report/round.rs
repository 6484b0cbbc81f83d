// SPDX-License-Identifier: GPL-2.0-only
//! A round: one trace under one scheduler.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Distribution, Outcome};

/// What a learning scheduler knew when its round began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Warmth {
    /// It had seen the functions before.
    Warm,
    /// It had seen nothing.
    Cold,
}

/// One of those compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Contender {
    /// `EEVDF`, `ALPS`.
    pub scheduler: String,
    /// `None` for one that does not learn.
    pub warmth: Option<Warmth>,
}

impl Contender {
    /// A scheduler that does not learn.
    pub fn new(scheduler: impl Into<String>) -> Self {
        Self {
            scheduler: scheduler.into(),
            warmth: None,
        }
    }

    pub fn warm(scheduler: impl Into<String>) -> Self {
        Self {
            warmth: Some(Warmth::Warm),
            ..Self::new(scheduler)
        }
    }

    pub fn cold(scheduler: impl Into<String>) -> Self {
        Self {
            warmth: Some(Warmth::Cold),
            ..Self::new(scheduler)
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let warmth = match self.warmth {
            None => "",
            Some(Warmth::Warm) => " warm",
            Some(Warmth::Cold) => " cold",
        };
        f.pad(&format!("{}{warmth}", self.scheduler))
    }
}

/// What a round came to.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Index into [`Run::settings`](super::Run::settings); in files they count from 1.
    #[serde(serialize_with = "from_one")]
    pub setting: usize,
    #[serde(flatten)]
    pub contender: Contender,
    /// What tells its trace from the others of the setting.
    pub seed: u64,
    /// From the start of the run to the start of the trace; `None` for a
    /// round that took none of the run's time, as a simulated one.
    pub start_ns: Option<u64>,
    /// From when a request was due to when the generator turned to it.
    pub lateness_ms: Option<Distribution>,
    /// How long the generator took to start a process.
    pub launch_ms: Option<Distribution>,
    /// What the scheduler's own process took of one CPU, in percent. Where
    /// ALPS is off it still watches and learns.
    pub scheduler_cpu_percent: Option<f64>,
    /// Requests not served by the time limit.
    pub unserved: usize,
    /// Why its figures should not be trusted; empty if they can be.
    pub doubts: Vec<String>,
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

impl Round {
    /// A round of which no more than the outcomes is known.
    pub fn new(setting: usize, contender: Contender, seed: u64, outcomes: Vec<Outcome>) -> Self {
        Self {
            setting,
            contender,
            seed,
            start_ns: None,
            lateness_ms: None,
            launch_ms: None,
            scheduler_cpu_percent: None,
            unserved: 0,
            doubts: Vec::new(),
            outcomes,
        }
    }
}

fn from_one<S: Serializer>(index: &usize, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(*index as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contenders_have_readable_names() {
        assert_eq!(Contender::new("EEVDF").to_string(), "EEVDF");
        assert_eq!(Contender::warm("ALPS").to_string(), "ALPS warm");
        assert_eq!(format!("{:>10}", Contender::cold("ALPS")), " ALPS cold");
    }
}
