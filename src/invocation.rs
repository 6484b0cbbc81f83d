// SPDX-License-Identifier: GPL-2.0-only
//! What is observed: one invocation of one function.

use serde::{Deserialize, Serialize};

/// A function's slot in the policy table.
///
/// Slot 0 is no function: it holds the platform's prior, which applies to
/// invocations whose function is not known yet.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct FunctionId(u32);

impl FunctionId {
    /// Slots in the policy table, the prior's included.
    pub const CAPACITY: usize = 4096;

    /// The slot of the platform's prior.
    pub const PRIOR: FunctionId = FunctionId(0);

    /// The id of a slot; `None` where the table has no such slot.
    pub fn new(slot: u32) -> Option<Self> {
        ((slot as usize) < Self::CAPACITY).then_some(Self(slot))
    }

    /// The slot's number, always below [`FunctionId::CAPACITY`].
    pub fn slot(self) -> usize {
        self.0 as usize
    }
}

/// One finished invocation: a thread group's burst of work, from fork (or
/// from waking after an idle gap) to exit (or to the next idle gap).
///
/// Times are nanoseconds of the monotonic clock, durations nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    pub function: FunctionId,
    pub arrival_ns: u64,
    pub first_run_ns: u64,
    pub end_ns: u64,
    /// CPU time of all threads of the group within the invocation.
    pub cpu_ns: u64,
    /// How often a thread of the group was switched out.
    pub switches: u32,
}

impl Invocation {
    /// Arrival to end.
    pub fn response_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.arrival_ns)
    }

    /// Arrival to first run.
    pub fn wait_ns(&self) -> u64 {
        self.first_run_ns.saturating_sub(self.arrival_ns)
    }

    /// Response over CPU time, at least 1; the field's "slowdown" with the
    /// CPU time standing in for the response on an idle machine.
    pub fn slowdown(&self) -> f64 {
        (self.response_ns() as f64 / self.cpu_ns.max(1) as f64).max(1.0)
    }
}
