// SPDX-License-Identifier: GPL-2.0-only
//! Time, and using up CPU time.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// CPU time this thread has had.
pub fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Compute until this thread has had `cpu` of CPU time since its beginning.
///
/// Most of it passes in user mode: asking for CPU time is a system call, and
/// the scheduler treats tasks differently that are in one.
pub fn spin_until(cpu: Duration) {
    const STEP: Duration = Duration::from_micros(200);
    loop {
        let left = cpu.saturating_sub(thread_cpu());
        if left.is_zero() {
            return;
        }
        let begin = Instant::now();
        while begin.elapsed() < left.min(STEP) {
            spin_loop();
        }
    }
}

/// Compute for `cpu` of CPU time from now on.
pub fn spin(cpu: Duration) {
    spin_until(thread_cpu() + cpu);
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
