// SPDX-License-Identifier: GPL-2.0-only
//! Clocks, read in a way that is safe after a fork.

/// Wall time that never goes back.
pub const MONOTONIC: libc::clockid_t = libc::CLOCK_MONOTONIC;

/// CPU time of the calling process.
pub const CPU: libc::clockid_t = libc::CLOCK_PROCESS_CPUTIME_ID;

pub const NS_PER_S: u64 = 1_000_000_000;

/// A clock's time in nanoseconds; 0 for a clock that does not exist.
pub fn now_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writing. A failure leaves it 0.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * NS_PER_S + time.tv_nsec as u64
}

/// Sleeps until the monotonic clock shows `until_ns`; signals do not end it.
pub fn sleep_until(until_ns: u64) {
    let time = libc::timespec {
        tv_sec: (until_ns / NS_PER_S) as libc::time_t,
        tv_nsec: (until_ns % NS_PER_S) as _,
    };
    let sleep = || {
        // SAFETY: `time` is valid, and without a remainder to write to.
        unsafe {
            libc::clock_nanosleep(MONOTONIC, libc::TIMER_ABSTIME, &time, std::ptr::null_mut())
        }
    };
    while sleep() == libc::EINTR {}
}
