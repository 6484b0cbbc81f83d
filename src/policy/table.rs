// SPDX-License-Identifier: GPL-2.0-only
//! One round's result: for each function a bias by attained service, and a slice.

use serde::{Deserialize, Serialize};

use super::grid::{BUCKETS, bucket};
use crate::invocation::FunctionId;

/// Shorter slices would be spent on switching: 100 us.
pub const LEAST_SLICE_NS: u64 = 100_000;

/// What the scheduler enforces for one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Added to a task's virtual time, by bucket of attained service.
    #[serde(with = "super::bias")]
    pub bias_ns: [u64; BUCKETS],
    /// How long the function runs between two looks at the queue; 0 where it
    /// has no slice of its own and gets the scheduler's default.
    pub slice_ns: u64,
    /// Place in the order of simulated waiting times, 0 the shortest.
    pub rank: u32,
    /// Invocations the entry was learned from.
    pub samples: u32,
    /// Predicted CPU time of a whole invocation.
    pub predicted_ns: u64,
}

impl PolicyEntry {
    /// The bias of an invocation that has attained `attained_ns`.
    pub fn bias_at(&self, attained_ns: u64) -> u64 {
        self.bias_ns[bucket(attained_ns)]
    }

    /// Whether an invocation that has attained `attained_ns` is no longer than
    /// its function's usually are: it has not taken [`OVERRUN`] times what was
    /// predicted.
    pub fn expects(&self, attained_ns: u64) -> bool {
        attained_ns / OVERRUN < self.predicted_ns
    }
}

/// An invocation that took so many times what was predicted has overrun
/// (`src/bpf/policy.bpf.h`).
const OVERRUN: u64 = 4;

impl Default for PolicyEntry {
    fn default() -> Self {
        Self {
            bias_ns: [0; BUCKETS],
            slice_ns: 0,
            rank: 0,
            samples: 0,
            predicted_ns: 0,
        }
    }
}

/// The entries of all functions by slot; slot 0 is the platform's prior.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyTable {
    entries: Vec<PolicyEntry>,
}

impl PolicyTable {
    /// A table of entries by slot. Entries past [`FunctionId::CAPACITY`] are dropped.
    pub fn new(mut entries: Vec<PolicyEntry>) -> Self {
        entries.truncate(FunctionId::CAPACITY);
        Self { entries }
    }

    /// The entries of the first `length` slots, to be overwritten; those that
    /// were not there begin as `new`.
    pub(crate) fn resized(&mut self, length: usize, new: &PolicyEntry) -> &mut [PolicyEntry] {
        let length = length.min(FunctionId::CAPACITY);
        self.entries.resize(length, new.clone());
        &mut self.entries
    }

    /// All entries, in the order of their slots.
    pub fn entries(&self) -> &[PolicyEntry] {
        &self.entries
    }

    /// The entry in force for a function: its own, or the prior's where it has none.
    pub fn get(&self, function: FunctionId) -> Option<&PolicyEntry> {
        self.entries
            .get(function.slot())
            .or_else(|| self.entries.first())
    }

    /// Whether a function has an entry of its own, learned from its invocations.
    pub fn is_learned(&self, function: FunctionId) -> bool {
        let own = self.entries.get(function.slot());
        function != FunctionId::PRIOR && own.is_some_and(|entry| entry.samples > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_is_what_has_samples_of_its_own() {
        let entry = |samples| PolicyEntry {
            samples,
            ..PolicyEntry::default()
        };
        let table = PolicyTable::new(vec![entry(9), entry(0), entry(1)]);
        let learned = [0, 1, 2, 3].map(|slot| table.is_learned(FunctionId::new(slot).unwrap()));
        assert_eq!(learned, [false, false, true, false]);
    }

    #[test]
    fn an_invocation_has_overrun_at_four_times_what_was_predicted() {
        let entry = PolicyEntry {
            predicted_ns: 10,
            ..PolicyEntry::default()
        };
        assert_eq!([0, 39, 40].map(|ns| entry.expects(ns)), [true, true, false]);
        assert!(!PolicyEntry::default().expects(0));
    }
}
