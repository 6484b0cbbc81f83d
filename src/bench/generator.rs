// SPDX-License-Identifier: GPL-2.0-only
//! The open-loop load generator: a process of its own that starts each
//! request when it is due, whatever became of those before.
//!
//! It runs SCHED_FIFO, so that the schedulers compared cannot delay it, and
//! does nothing but sleep and fork: ends are written down by the workers, and
//! the kernel reaps them (SIGCHLD ignored). Its workers are no real-time
//! tasks (SCHED_RESET_ON_FORK). It leads a process group that all its workers
//! are in, so that one signal ends them.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::clock::{self, MONOTONIC, NS_PER_S};
use super::process::{self, Child};
use super::shared::Shared;
use super::slot::{Slot, Status};
use super::worker::Job;

/// Any real-time priority will do: nothing else here has one.
const PRIORITY: i32 = 10;

/// For the generator to be asleep before the first request is due.
const START_NS: u64 = NS_PER_S / 20;

/// How often waiting looks for an interruption.
const PATIENCE: Duration = Duration::from_millis(500);

/// A job and when it is due, from the start of the trace.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub arrival_ns: u64,
    pub job: Job,
}

/// What a generator left behind.
pub struct Run {
    /// One for each job, in their order.
    pub slots: Shared<Slot>,
    /// When the trace began, on the monotonic clock.
    pub start_ns: u64,
    /// Why it could not run SCHED_FIFO, if so.
    pub priority_error: Option<io::Error>,
}

/// Runs the jobs, which are in the order of their arrival, and waits for
/// their ends, but no longer than `drain` after the last arrival; those still
/// running then are killed.
///
/// # Errors
/// When there is no memory or no process to be had, and when `interrupted`
/// became true.
pub fn generate(jobs: &[Due], drain: Duration, interrupted: &AtomicBool) -> Result<Run> {
    let slots = Shared::<Slot>::new(jobs.len()).context("no memory for the measurements")?;
    let status = Shared::<Status>::new(1).context("no memory for the measurements")?;
    let [state, ..] = &*status else {
        bail!("no memory for the measurements");
    };

    let generator = Child::fork(|| lead(jobs, &slots, state))?;
    let last_ns = jobs.last().map_or(0, |due| due.arrival_ns);
    let deadline_ns = clock::now_ns(MONOTONIC) + START_NS + last_ns + drain.as_nanos() as u64;
    while !generator.wait(PATIENCE)? {
        if interrupted.load(Relaxed) {
            bail!("interrupted");
        }
        if clock::now_ns(MONOTONIC) > deadline_ns {
            break;
        }
    }
    drop(generator);

    let error = |number: u64| {
        (number != 0).then(|| io::Error::from_raw_os_error(i32::try_from(number).unwrap_or(0)))
    };
    if let Some(error) = error(state.launch_errno.load(Relaxed)) {
        return Err(error).context("a worker process could not be started");
    }
    let start_ns = state.start_ns.load(Relaxed);
    let priority_error = error(state.priority_errno.load(Relaxed));
    Ok(Run {
        slots,
        start_ns,
        priority_error,
    })
}

/// The generator's life. Like its workers', it must neither allocate nor lock.
fn lead(jobs: &[Due], slots: &[Slot], status: &Status) {
    // SAFETY: changes nothing but how this process takes the signal.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    if let Err(number) = process::run_fifo(PRIORITY) {
        status.priority_errno.store(number as u64, Relaxed);
    }
    let start_ns = clock::now_ns(MONOTONIC) + START_NS;
    status.start_ns.store(start_ns, Relaxed);
    for (due, slot) in jobs.iter().zip(slots) {
        clock::sleep_until(start_ns + due.arrival_ns);
        let woken_ns = clock::now_ns(MONOTONIC);
        if let Err(number) = due.job.launch(slot) {
            status.launch_errno.store(number as u64, Relaxed);
            return;
        }
        slot.set_launched(woken_ns, clock::now_ns(MONOTONIC));
    }
    process::wait_for_all_children();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(arrival_ms: u64, cpu_ms: u64) -> Due {
        Due {
            arrival_ns: arrival_ms * 1_000_000,
            job: Job {
                name: Job::name("test"),
                cgroup: None,
                cpu_ns: cpu_ms * 1_000_000,
            },
        }
    }

    #[test]
    fn jobs_are_served() {
        let jobs = [due(0, 1), due(5, 2), due(5, 1)];
        let run = generate(&jobs, Duration::from_secs(60), &AtomicBool::new(false)).unwrap();
        for (due, slot) in jobs.iter().zip(&*run.slots) {
            let (launched, served) = (slot.launched().unwrap(), slot.served().unwrap());
            assert!(launched.woken_ns >= run.start_ns + due.arrival_ns);
            assert!(served.cpu_ns >= due.job.cpu_ns);
            assert!(served.end_ns >= served.first_run_ns + due.job.cpu_ns / 2);
        }
    }

    #[test]
    fn time_limit_ends_what_is_left() {
        let run = generate(
            &[due(0, 3_600_000)],
            Duration::ZERO,
            &AtomicBool::new(false),
        )
        .unwrap();
        assert!(run.slots[0].launched().is_some());
        assert_eq!(run.slots[0].served(), None);
    }

    #[test]
    fn interruption_is_an_error() {
        assert!(generate(&[due(10_000, 1)], Duration::ZERO, &AtomicBool::new(true)).is_err());
    }

    #[test]
    fn a_job_that_cannot_start_is_an_error() {
        let mut due = due(0, 1);
        due.job.cgroup = Some(-1);
        assert!(generate(&[due], Duration::ZERO, &AtomicBool::new(false)).is_err());
    }
}
