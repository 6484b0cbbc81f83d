// SPDX-License-Identifier: GPL-2.0-only
//! Processes that do nothing but compute.

use std::time::Duration;

use anyhow::Result;

use crate::cgroup::Cgroup;
use crate::child::{Child, Ended};
use crate::clock::spin_until;

/// Longer than any scenario.
const ENDLESS: Duration = Duration::from_secs(3600);

/// Start `count` processes of a function that use `cpu` of CPU time each.
pub fn start(cgroup: &Cgroup, count: usize, cpu: Duration) -> Result<Vec<Child>> {
    (0..count)
        .map(|_| Child::start(Some(cgroup), || spin_until(cpu)))
        .collect()
}

/// Start `count` processes of a function that compute until they are dropped.
pub fn hogs(cgroup: &Cgroup, count: usize) -> Result<Vec<Child>> {
    start(cgroup, count, ENDLESS)
}

/// Wait until all have done their work.
pub fn finish(children: Vec<Child>) -> Result<Vec<Ended>> {
    children.into_iter().map(Child::finish).collect()
}
