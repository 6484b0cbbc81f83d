// SPDX-License-Identifier: GPL-2.0-only
//! Shortest function first: by what its invocations take as a whole, whatever
//! this one has had.

use super::{Policy, Standing};

/// The distance is the whole of what is expected.
pub struct ShortestMean;

impl Policy for ShortestMean {
    fn name(&self) -> &'static str {
        "shortest-mean"
    }

    fn meaning(&self) -> &'static str {
        "shortest function first, however far an invocation has come"
    }

    fn distance_ns(&self, at: &Standing) -> u64 {
        at.expected_ns
    }
}
