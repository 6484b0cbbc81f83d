// SPDX-License-Identifier: GPL-2.0-only
//! Shortest expected remaining time first: what this scheduler is for.

use super::{Policy, Standing};

/// The distance is what is expected to remain.
pub struct Alps;

impl Policy for Alps {
    fn name(&self) -> &'static str {
        "alps"
    }

    fn meaning(&self) -> &'static str {
        "shortest expected remaining time first"
    }

    fn distance_ns(&self, at: &Standing) -> u64 {
        at.remaining_ns
    }
}
