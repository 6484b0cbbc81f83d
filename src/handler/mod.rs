// SPDX-License-Identifier: GPL-2.0-only
//! The functions a worker has built in: those of the ALPS evaluation, and one
//! that takes just the CPU time it is asked for.
//!
//! Each does real work and checks its own result by another way to it, so
//! that an answer is either right or an error. What they compute depends on
//! their argument `n` only.

mod event;
mod feature_extractor;
mod fib;
mod float_operation;
mod graph;

use std::fmt;

use serde_json::Value;

pub use event::{Event, EventError};

/// A built-in function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// The n-th Fibonacci number, by plain recursion.
    Fib,
    /// n sines, cosines and square roots.
    FloatOperation,
    /// Breadth-first search of a random graph of n nodes.
    GraphBfs,
    /// The minimum spanning tree of a random graph of n nodes.
    GraphMst,
    /// The PageRank of a random graph of n nodes.
    GraphPagerank,
    /// The term weights (TF-IDF) of n times 100 texts.
    FeatureExtractor,
    /// Uses the CPU for n microseconds.
    Spin,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongResult(pub String);

impl fmt::Display for WrongResult {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the result failed its check: {}", self.0)
    }
}

impl Builtin {
    pub const ALL: [Self; 7] = [
        Self::Fib,
        Self::FloatOperation,
        Self::GraphBfs,
        Self::GraphMst,
        Self::GraphPagerank,
        Self::FeatureExtractor,
        Self::Spin,
    ];

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fib => "fib",
            Self::FloatOperation => "floatOperation",
            Self::GraphBfs => "graphBfs",
            Self::GraphMst => "graphMst",
            Self::GraphPagerank => "graphPagerank",
            Self::FeatureExtractor => "featureExtractor",
            Self::Spin => "spin",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    /// The one that `name` is a numbered copy of: `floatOperation1`.
    pub fn numbered(name: &str) -> Option<Self> {
        Self::named(name.trim_end_matches(|c: char| c.is_ascii_digit()))
    }

    /// The largest argument it takes: what is above has no answer, or none
    /// that anybody would wait for.
    pub fn max_n(self) -> u64 {
        match self {
            Self::Fib => 93,
            Self::FloatOperation => 100_000_000_000,
            Self::GraphBfs | Self::GraphMst | Self::GraphPagerank => 10_000_000,
            Self::FeatureExtractor => 100_000,
            Self::Spin => 3_600_000_000,
        }
    }

    /// Does the work; the result as it is answered.
    ///
    /// `spin` needs a clock, which nothing here has: its caller uses the CPU.
    ///
    /// # Errors
    /// When the result fails its check.
    pub fn run(self, n: u64) -> Result<Value, WrongResult> {
        match self {
            Self::Fib => fib::run(n),
            Self::FloatOperation => float_operation::run(n),
            Self::GraphBfs => graph::bfs(n),
            Self::GraphMst => graph::mst(n),
            Self::GraphPagerank => graph::pagerank(n),
            Self::FeatureExtractor => feature_extractor::run(n),
            Self::Spin => Ok(n.into()),
        }
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), WrongResult> {
    if holds {
        Ok(())
    } else {
        Err(WrongResult(what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_found_by_their_names() {
        for builtin in Builtin::ALL {
            assert_eq!(Builtin::named(builtin.name()), Some(builtin));
            let copy = format!("{}17", builtin.name());
            assert_eq!(Builtin::numbered(&copy), Some(builtin));
        }
        assert_eq!(Builtin::named("fib1"), None);
        assert_eq!(Builtin::numbered("1"), None);
    }

    #[test]
    fn the_smallest_arguments_have_answers() {
        for builtin in Builtin::ALL {
            for n in 0..12 {
                let first = builtin.run(n).unwrap();
                assert_eq!(builtin.run(n).unwrap(), first, "{} {n}", builtin.name());
            }
        }
    }
}
