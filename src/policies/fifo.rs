// SPDX-License-Identifier: GPL-2.0-only
//! Nothing is known of anybody: who has waited for longest goes first. As with
//! every policy here service counts as waiting less, so who runs falls behind
//! those who came after it and wait; `simulate --policy fifo` is the textbook's,
//! in which it does not.

use super::{Policy, Standing};

/// Everybody is at the same distance.
pub struct Fifo;

impl Policy for Fifo {
    fn name(&self) -> &'static str {
        "fifo"
    }

    fn meaning(&self) -> &'static str {
        "the longest wait first: in the order of arrival, less service"
    }

    fn distance_ns(&self, _at: &Standing) -> u64 {
        0
    }
}
