// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's scheduling policies.

use anyhow::{Context, Result};
use nix::errno::Errno;

/// A policy of the kernel.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    Ext,
    /// With a real-time priority; children do not inherit it.
    Fifo(i32),
}

/// Give a process a policy; 0 is the calling one.
pub fn set(pid: i32, policy: Policy) -> Result<()> {
    const SCHED_EXT: i32 = 7;
    let (number, sched_priority) = match policy {
        Policy::Ext => (SCHED_EXT, 0),
        Policy::Fifo(priority) => (libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, priority),
    };
    let parameter = libc::sched_param { sched_priority };
    // SAFETY: `parameter` outlives the call.
    Errno::result(unsafe { libc::sched_setscheduler(pid, number, &parameter) })
        .map(drop)
        .with_context(|| format!("cannot give process {pid} the policy {policy:?}"))
}
