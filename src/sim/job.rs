// SPDX-License-Identifier: GPL-2.0-only
//! What goes into a simulation and what comes out of it.

use crate::invocation::FunctionId;

/// One invocation as a simulation sees it: when it arrives and what it needs.
///
/// All of its CPU time is served by one CPU at a time, also where several
/// threads spent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    pub function: FunctionId,
    pub arrival_ns: u64,
    pub cpu_ns: u64,
}

/// When a simulated job first ran and when it was done, on the clock of the
/// arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub first_run_ns: u64,
    pub finish_ns: u64,
}

/// A longest uninterrupted run of one job; preemption or completion ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The job's place in the simulation's input.
    pub job: usize,
    pub function: FunctionId,
    pub start_ns: u64,
    pub end_ns: u64,
}

impl Slice {
    /// How long the job ran, in nanoseconds; at least 1.
    pub fn length_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}
