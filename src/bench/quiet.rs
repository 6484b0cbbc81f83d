// SPDX-License-Identifier: GPL-2.0-only
//! Waiting for the machine to have nothing else to do, for instance to be
//! done with booting.

use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::clock::NS_PER_S;
use super::say::say;

const SAMPLE: Duration = Duration::from_millis(500);

/// Longest wait for a machine that does not become quiet.
const LONGEST: Duration = Duration::from_secs(10);

/// A machine is quiet with fewer CPUs busy than this.
const QUIET_CPUS: f64 = 0.1;

/// Waits `at_least` this long and until the machine is quiet, but not for
/// ever: a machine that stays busy is told of.
///
/// # Errors
/// When `interrupted` became true or `/proc/stat` cannot be read.
pub fn settle(at_least: Duration, interrupted: &AtomicBool) -> Result<()> {
    let start = Instant::now();
    let mut last = (Instant::now(), busy()?);
    loop {
        thread::sleep(SAMPLE);
        if interrupted.load(Relaxed) {
            bail!("interrupted");
        }
        let now = (Instant::now(), busy()?);
        let busy_cpus =
            (now.1.saturating_sub(last.1)).as_secs_f64() / (now.0 - last.0).as_secs_f64();
        last = now;
        let waited = start.elapsed();
        if waited >= at_least && busy_cpus < QUIET_CPUS {
            return Ok(());
        }
        if waited >= LONGEST {
            say(format_args!(
                "the machine is not idle: {busy_cpus:.1} CPUs are busy already"
            ));
            return Ok(());
        }
    }
}

/// CPU time used on all CPUs since boot.
fn busy() -> Result<Duration> {
    // SAFETY: no preconditions.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    let ticks = busy_ticks(&stat).ok_or_else(|| anyhow!("/proc/stat is not as expected"))?;
    Ok(Duration::from_nanos(ticks.saturating_mul(
        NS_PER_S / u64::try_from(per_second)?.max(1),
    )))
}

/// The ticks that were neither idle nor waiting for a disk.
fn busy_ticks(stat: &str) -> Option<u64> {
    const IDLE: [usize; 2] = [3, 4];
    // Guests' time, which follows, is contained in that of users.
    const KINDS: usize = 8;
    let all_cpus = stat.lines().next()?.strip_prefix("cpu ")?;
    let mut busy = 0u64;
    for (kind, ticks) in all_cpus.split_whitespace().take(KINDS).enumerate() {
        if !IDLE.contains(&kind) {
            busy = busy.saturating_add(ticks.parse().ok()?);
        }
    }
    Some(busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_ticks_do_not_count() {
        let stat = "cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 9 9 9\n";
        assert_eq!(busy_ticks(stat), Some(63));
        assert_eq!(busy_ticks("intr 1 2"), None);
    }
}
