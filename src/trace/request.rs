// SPDX-License-Identifier: GPL-2.0-only
//! One request of a trace.

use serde::{Deserialize, Serialize};

/// A request for one invocation of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// When it arrives, from the start of the trace.
    pub arrival_ns: u64,
    /// Index into [`Trace::functions`](super::Trace::functions).
    pub function: u32,
    /// The CPU time it takes.
    pub cpu_ns: u64,
}
