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
    /// How many slices it ran in: how often it was switched out, its end
    /// included. 0 where jobs share the CPUs without ever being switched.
    pub switches: u32,
}

impl Outcome {
    /// Of a job that needs nothing and is done as it arrives.
    pub(super) fn immediate(job: &Job) -> Self {
        Self {
            first_run_ns: job.arrival_ns,
            finish_ns: job.arrival_ns,
            switches: 0,
        }
    }

    /// Of a job that has not run yet.
    pub(super) fn pending() -> Self {
        Self {
            first_run_ns: u64::MAX,
            finish_ns: u64::MAX,
            switches: 0,
        }
    }
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

/// Arrival and index of every job, in the order of arrivals, and of the input
/// where they are equal.
pub(super) fn arrivals(jobs: &[Job]) -> Vec<(u64, usize)> {
    let mut arrivals: Vec<_> = jobs
        .iter()
        .enumerate()
        .map(|(index, job)| (job.arrival_ns, index))
        .collect();
    // Traces and windows come in order or nearly so, which the stable sort likes.
    arrivals.sort();
    arrivals
}
