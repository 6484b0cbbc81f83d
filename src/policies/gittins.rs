// SPDX-License-Identifier: GPL-2.0-only
//! Largest Gittins index first, which with only the distributions known is
//! optimal in the M/G/1 (see [`crate::learn::gittins`]).

use super::{Policy, Standing};
use crate::learn::Method;

/// The distance is the inverse of the index, a time.
pub struct Gittins;

impl Policy for Gittins {
    fn name(&self) -> &'static str {
        "gittins"
    }

    fn meaning(&self) -> &'static str {
        "largest Gittins index first"
    }

    fn distance_ns(&self, at: &Standing) -> u64 {
        at.remaining_ns
    }

    fn method(&self) -> Option<Method> {
        Some(Method::Gittins)
    }
}
