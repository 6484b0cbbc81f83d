// SPDX-License-Identifier: GPL-2.0-only
//! Shortest remaining time first by the truth, where it is told: the bound for
//! all that learn.

use super::{Policy, Standing};

/// The distance is what really remains, else what is expected to.
pub struct Oracle;

impl Policy for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn meaning(&self) -> &'static str {
        "shortest remaining time first, as told by the benchmark"
    }

    fn distance_ns(&self, at: &Standing) -> u64 {
        at.told_ns.map_or(at.remaining_ns, |told_ns| {
            told_ns.saturating_sub(at.attained_ns)
        })
    }
}
