// SPDX-License-Identifier: GPL-2.0-only
//! Least attained service first, for heavy tails: what has run long will run
//! longer.

use super::{Policy, Standing};

/// The distance is what was attained.
pub struct Las;

impl Policy for Las {
    fn name(&self) -> &'static str {
        "las"
    }

    fn meaning(&self) -> &'static str {
        "least attained service first; needs to know nothing"
    }

    fn distance_ns(&self, at: &Standing) -> u64 {
        at.attained_ns
    }
}
