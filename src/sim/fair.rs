// SPDX-License-Identifier: GPL-2.0-only
//! What is fair about disciplines built on a fair scheduler: vruntimes.

use super::discipline::Standing;

/// How long a fair scheduler lets a task run while others wait: 3 ms, the
/// least granularity of CFS and the slice of EEVDF on a few CPUs.
pub(super) const FAIR_TURN_NS: u64 = 3_000_000;

/// The vruntimes of jobs.
///
/// Who joins begins at the least vruntime served, so that nobody has credit
/// for not having been there.
#[derive(Debug, Default)]
pub(super) struct Fair {
    least_ns: u64,
    /// By order of arrival: vruntime less attained service, modulo 2^64.
    offsets_ns: Vec<u64>,
}

impl Fair {
    /// The vruntime of a job that joins now.
    pub(super) fn joined(&mut self, at: &Standing) -> u64 {
        if at.order >= self.offsets_ns.len() {
            self.offsets_ns.resize(at.order + 1, 0);
        }
        self.offsets_ns[at.order] = self.least_ns.wrapping_sub(at.attained_ns);
        self.least_ns
    }

    /// The vruntime of a job that has joined.
    pub(super) fn vruntime_ns(&self, at: &Standing) -> u64 {
        self.offsets_ns[at.order].wrapping_add(at.attained_ns)
    }

    /// Takes notice of the vruntime of a job that is served next.
    pub(super) fn served_next(&mut self, vruntime_ns: u64) {
        self.least_ns = self.least_ns.max(vruntime_ns);
    }
}
