// SPDX-License-Identifier: GPL-2.0-only
//! What the tests of the simulated disciplines share.

use proptest::prelude::*;

use super::machine::{Machine, run};
use super::{Discipline, Job, Slice};
use crate::invocation::FunctionId;

pub fn job(arrival_ns: u64, cpu_ns: u64) -> Job {
    job_of(0, arrival_ns, cpu_ns)
}

pub fn job_of(slot: u32, arrival_ns: u64, cpu_ns: u64) -> Job {
    Job {
        function: FunctionId::new(slot).unwrap(),
        arrival_ns,
        cpu_ns,
    }
}

pub fn finishes<D: Discipline>(discipline: &mut D, jobs: &[Job], cpus: usize) -> Vec<u64> {
    let outcomes = run(discipline, jobs, Machine::ideal(cpus), |_| {});
    outcomes.iter().map(|outcome| outcome.finish_ns).collect()
}

pub fn slices<D: Discipline>(discipline: &mut D, jobs: &[Job], cpus: usize) -> Vec<Slice> {
    let mut slices = Vec::new();
    run(discipline, jobs, Machine::ideal(cpus), |slice| {
        slices.push(slice);
    });
    slices
}

/// Up to `count` jobs of four functions.
pub fn jobs(count: usize, span: u64, longest: u64) -> impl Strategy<Value = Vec<Job>> {
    prop::collection::vec(
        (0..4u32, 0..=span, 0..=longest).prop_map(|(slot, at, cpu)| job_of(slot, at, cpu)),
        0..=count,
    )
}
