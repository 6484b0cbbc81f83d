// SPDX-License-Identifier: GPL-2.0-only
//! What was in force for every function over the last minute.

use std::collections::VecDeque;

use scx_alps::invocation::FunctionId;
use scx_alps::policy::PolicyTable;

use crate::control::Summary;

/// Time between two summaries of a function.
const EVERY_NS: u64 = 5_000_000_000;

/// Summaries kept of a function; they reach back a minute.
const KEPT: usize = 13;

/// A small ring of summaries a function.
#[derive(Default)]
pub struct Past {
    /// By slot.
    functions: Vec<VecDeque<Moment>>,
    last_ns: Option<u64>,
}

#[derive(Clone, Copy)]
struct Moment {
    at_ns: u64,
    summary: Summary,
}

impl Past {
    /// Takes note of a table that came into force at `now_ns`, if the last
    /// note is old enough.
    pub fn note(&mut self, table: &PolicyTable, now_ns: u64) {
        if self
            .last_ns
            .is_some_and(|last| now_ns.abs_diff(last) < EVERY_NS)
        {
            return;
        }
        self.last_ns = Some(now_ns);
        let length = self.functions.len().max(table.entries().len());
        self.functions.resize_with(length, VecDeque::new);
        for (ring, entry) in self.functions.iter_mut().zip(table.entries()).skip(1) {
            // Without samples of its own, a slot has no function or nothing to tell.
            if entry.samples == 0 {
                ring.clear();
                continue;
            }
            if ring.len() == KEPT {
                ring.pop_front();
            }
            let summary = Summary {
                age_s: 0.0,
                samples: entry.samples,
                predicted_ns: entry.predicted_ns,
                slice_ns: entry.slice_ns,
                bias_ns: entry.bias_at(0),
            };
            ring.push_back(Moment {
                at_ns: now_ns,
                summary,
            });
        }
    }

    pub fn forget(&mut self, function: FunctionId) {
        if let Some(ring) = self.functions.get_mut(function.slot()) {
            ring.clear();
        }
    }

    /// A function's summaries, oldest first, with their ages at `now_ns`.
    pub fn of(&self, function: FunctionId, now_ns: u64) -> Vec<Summary> {
        let ring = self.functions.get(function.slot()).into_iter().flatten();
        ring.map(|moment| Summary {
            age_s: now_ns.saturating_sub(moment.at_ns) as f64 / 1e9,
            ..moment.summary
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scx_alps::policy::PolicyEntry;

    const SECOND: u64 = 1_000_000_000;

    fn table(predicted_ns: u64) -> PolicyTable {
        let own = PolicyEntry {
            predicted_ns,
            samples: 4,
            ..PolicyEntry::default()
        };
        let prior = PolicyEntry {
            predicted_ns: 1,
            samples: 9,
            ..PolicyEntry::default()
        };
        PolicyTable::new(vec![prior, PolicyEntry::default(), own])
    }

    #[test]
    fn a_minute_is_kept_in_steps() {
        let mut past = Past::default();
        for second in 0..200 {
            past.note(&table(second), second * SECOND);
        }
        let of = past.of(FunctionId::new(2).unwrap(), 200 * SECOND);
        assert_eq!(of.len(), KEPT);
        assert_eq!((of[0].predicted_ns, of[0].age_s), (135, 65.0));
        assert_eq!((of[12].predicted_ns, of[12].age_s), (195, 5.0));
    }

    #[test]
    fn slots_without_a_function_have_no_past() {
        let mut past = Past::default();
        past.note(&table(7), 0);
        assert!(past.of(FunctionId::new(1).unwrap(), 0).is_empty());
        assert!(past.of(FunctionId::new(900).unwrap(), 0).is_empty());
        past.forget(FunctionId::new(2).unwrap());
        assert!(past.of(FunctionId::new(2).unwrap(), 0).is_empty());
    }
}
