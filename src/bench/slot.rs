// SPDX-License-Identifier: GPL-2.0-only
//! What generator and worker write down about one invocation, in memory they
//! share with the measuring process. Times are of the monotonic clock; 0 is
//! "not yet".

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::shared::Shareable;

/// One invocation. A cache line of its own, so that workers on different CPUs
/// do not slow each other down.
#[repr(align(64))]
pub struct Slot {
    woken_ns: AtomicU64,
    launched_ns: AtomicU64,
    first_run_ns: AtomicU64,
    end_ns: AtomicU64,
    cpu_ns: AtomicU64,
    switches: AtomicU64,
}

// SAFETY: nothing but atomic integers.
unsafe impl Shareable for Slot {}

/// A finished invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub first_run_ns: u64,
    pub end_ns: u64,
    pub cpu_ns: u64,
    pub switches: u64,
}

/// A launched invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launched {
    /// When the generator turned to it.
    pub woken_ns: u64,
    /// When its process existed.
    pub launched_ns: u64,
}

impl Slot {
    pub fn set_launched(&self, woken_ns: u64, launched_ns: u64) {
        self.woken_ns.store(woken_ns, Relaxed);
        self.launched_ns.store(launched_ns, Release);
    }

    pub fn set_served(&self, served: Served) {
        self.first_run_ns.store(served.first_run_ns, Relaxed);
        self.cpu_ns.store(served.cpu_ns, Relaxed);
        self.switches.store(served.switches, Relaxed);
        self.end_ns.store(served.end_ns, Release);
    }

    pub fn launched(&self) -> Option<Launched> {
        let launched_ns = self.launched_ns.load(Acquire);
        (launched_ns != 0).then(|| Launched {
            woken_ns: self.woken_ns.load(Relaxed),
            launched_ns,
        })
    }

    pub fn served(&self) -> Option<Served> {
        let end_ns = self.end_ns.load(Acquire);
        (end_ns != 0).then(|| Served {
            first_run_ns: self.first_run_ns.load(Relaxed),
            end_ns,
            cpu_ns: self.cpu_ns.load(Relaxed),
            switches: self.switches.load(Relaxed),
        })
    }
}

/// How the generator itself fares.
#[derive(Default)]
pub struct Status {
    /// 0 until the generator is ready, then 1; 2 sends it off.
    pub stage: AtomicU32,
    /// When the trace began.
    pub start_ns: AtomicU64,
    /// The error number that kept it from running SCHED_FIFO.
    pub priority_errno: AtomicU64,
    /// The error number that ended it.
    pub launch_errno: AtomicU64,
}

// SAFETY: nothing but atomic integers.
unsafe impl Shareable for Status {}
