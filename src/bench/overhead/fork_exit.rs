// SPDX-License-Identifier: GPL-2.0-only
//! A process that forks children one after the other and waits for each.

use std::ptr;

use super::Total;
use crate::bench::clock::{self, CPU, MONOTONIC};
use crate::bench::process::errno;

/// Forks before the clock starts.
const WARM_UP: u64 = 20;

/// Measures `forks` children from fork to having been waited for.
///
/// # Errors
/// The error number of a system call.
pub fn run(forks: u64) -> Result<Total, i32> {
    for _ in 0..WARM_UP {
        fork_and_wait()?;
    }
    let cpu_ns = || clock::now_ns(CPU) + childrens_cpu_ns();
    let (start_ns, start_cpu_ns) = (clock::now_ns(MONOTONIC), cpu_ns());
    for _ in 0..forks {
        fork_and_wait()?;
    }
    Ok(Total {
        elapsed_ns: clock::now_ns(MONOTONIC) - start_ns,
        cpu_ns: cpu_ns() - start_cpu_ns,
    })
}

fn fork_and_wait() -> Result<(), i32> {
    // SAFETY: the child does nothing but exit, without exit handlers.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: as above.
        unsafe { libc::_exit(0) };
    }
    if pid < 0 {
        return Err(errno());
    }
    // SAFETY: the status is not asked for.
    match unsafe { libc::waitpid(pid, ptr::null_mut(), 0) } {
        -1 => Err(errno()),
        _ => Ok(()),
    }
}

/// CPU time of all children waited for so far, to the microsecond.
fn childrens_cpu_ns() -> u64 {
    // SAFETY: all-zero is a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is valid for writing. A failure leaves it 0.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    let ns =
        |time: libc::timeval| time.tv_sec as u64 * clock::NS_PER_S + time.tv_usec as u64 * 1000;
    ns(usage.ru_utime) + ns(usage.ru_stime)
}
