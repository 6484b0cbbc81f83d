// SPDX-License-Identifier: GPL-2.0-only
//! Nothing is known of anybody: what came first goes first, and service counts
//! as waiting less.

use super::{Policy, Standing};

/// Everybody is at the same distance.
pub struct Fifo;

impl Policy for Fifo {
    fn name(&self) -> &'static str {
        "fifo"
    }

    fn meaning(&self) -> &'static str {
        "in the order of arrival, whatever it is"
    }

    fn distance_ns(&self, _at: &Standing) -> u64 {
        0
    }
}
