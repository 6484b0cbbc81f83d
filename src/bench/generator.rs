// SPDX-License-Identifier: GPL-2.0-only
//! The open-loop load generator: a process of its own that starts each
//! request when it is due, whatever became of those before.
//!
//! It runs SCHED_FIFO, so that the schedulers compared cannot delay it and it
//! needs no CPU of its own, and does nothing but sleep and fork or wake: ends
//! are written down by the workers, and the kernel reaps them (SIGCHLD
//! ignored). Workers have everything but the heap of it. Its workers are no real-time tasks (SCHED_RESET_ON_FORK). It
//! leads a process group that all its workers are in, so that one signal ends
//! them.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::clock::{self, MONOTONIC, NS_PER_S};
use super::futex;
use super::heap;
use super::process::{self, Child};
use super::server::{MAX_INSTANCES, Pool, Post};
use super::shared::{Shared, SharedCopy};
use super::slot::{Slot, Status};
use super::told::Told;
use super::worker::Job;

/// Any real-time priority will do: nothing else here has one.
const PRIORITY: i32 = 10;

/// For the generator to be asleep before the first request is due.
const START_NS: u64 = NS_PER_S / 20;

/// How often waiting looks for an interruption.
const PATIENCE: Duration = Duration::from_millis(500);

/// Until a generator is ready, its servers' births included.
const READY_LIMIT_NS: u64 = 60 * NS_PER_S;

/// How often the generator looks whether the servers are done at the end.
const DONE_NS: u64 = NS_PER_S / 50;

const READY: u32 = 1;
const GO: u32 = 2;

/// A job and when it is due, from the start of the trace.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub arrival_ns: u64,
    pub function: u32,
    pub job: Job,
}

/// How invocations are served.
#[derive(Clone, Copy, Debug)]
pub enum Service<'a> {
    /// By a process for each.
    Processes,
    /// By long-lived processes, some of which are there beforehand.
    Servers(&'a [Standby]),
}

/// Servers that are there before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standby {
    /// They serve the function that this request asks for.
    pub like: usize,
    pub count: u32,
}

/// Who is told the CPU time of each invocation before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    Nobody,
    /// ALPS's kernel side, through its map.
    Map,
    /// Whoever reads the names of processes, which are born with one like
    /// `cpu:1500000`, in nanoseconds. Servers have theirs for life.
    Names,
}

/// What is to be offered.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// In the order of arrival.
    pub due: &'a [Due],
    pub service: Service<'a>,
    /// Who is told each invocation's CPU time.
    pub told: Telling,
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

/// A generator whose servers are born and that waits to be sent off. Dropping
/// it ends it and all its workers.
pub struct Generator {
    child: Child,
    slots: Shared<Slot>,
    status: Shared<Status>,
    /// The last arrival, from the start of the trace.
    last_ns: u64,
}

impl Generator {
    /// Starts the generator, which does not yet begin.
    ///
    /// # Errors
    /// When there is no memory or no process to be had, and when
    /// `interrupted` became true.
    pub fn prepare(load: &Load, interrupted: &AtomicBool) -> Result<Self> {
        let no_memory = "no memory for the measurements";
        let slots = Shared::<Slot>::new(load.due.len()).context(no_memory)?;
        let status = Shared::<Status>::new(1).context(no_memory)?;
        let instances = match load.service {
            Service::Processes => 0,
            Service::Servers(_) => load.due.len().min(MAX_INSTANCES),
        };
        let posts = Shared::<Post>::new(instances).context(no_memory)?;
        let due = SharedCopy::of(load.due).context(no_memory)?;
        let load = Load { due: &due, ..*load };
        let mut pool = Pool::new(load.due, &slots, &posts);
        let heap = heap::range()?;
        let [state, ..] = &*status else {
            bail!(no_memory);
        };
        let child = Child::fork(|| {
            heap::leave_out(&heap);
            if let Err(number) = lead(&load, &slots, state, &mut pool) {
                state.launch_errno.store(number as u64, Relaxed);
            }
        })?;
        drop(pool);
        let generator = Self {
            child,
            slots,
            status,
            last_ns: load.due.last().map_or(0, |due| due.arrival_ns),
        };
        generator.await_ready(interrupted)?;
        Ok(generator)
    }

    /// Sends it off and waits for the ends of its jobs, but no longer than
    /// `drain` after the last arrival; those still running then are killed.
    ///
    /// # Errors
    /// When a job could not be started, and when `interrupted` became true.
    pub fn run(self, drain: Duration, interrupted: &AtomicBool, look: impl Fn()) -> Result<Run> {
        let status = self.status()?;
        status.stage.store(GO, Release);
        futex::wake(&status.stage);
        let deadline_ns =
            clock::now_ns(MONOTONIC) + START_NS + self.last_ns + drain.as_nanos() as u64;
        while !self.child.wait(PATIENCE)? {
            look();
            if interrupted.load(Relaxed) {
                bail!("interrupted");
            }
            if clock::now_ns(MONOTONIC) > deadline_ns {
                break;
            }
        }
        let start_ns = status.start_ns.load(Relaxed);
        let priority_error = error(status.priority_errno.load(Relaxed));
        if let Some(error) = error(status.launch_errno.load(Relaxed)) {
            return Err(error).context("a worker process could not be started");
        }
        let Self { child, slots, .. } = self;
        drop(child);
        Ok(Run {
            slots,
            start_ns,
            priority_error,
        })
    }

    fn await_ready(&self, interrupted: &AtomicBool) -> Result<()> {
        let status = self.status()?;
        let limit_ns = clock::now_ns(MONOTONIC) + READY_LIMIT_NS;
        while status.stage.load(Acquire) != READY {
            if self.child.wait(Duration::from_millis(5))? {
                return Err(match error(status.launch_errno.load(Relaxed)) {
                    Some(error) => anyhow!(error).context("a server could not be started"),
                    None => anyhow!("the load generator ended before it began"),
                });
            }
            if interrupted.load(Relaxed) {
                bail!("interrupted");
            }
            if clock::now_ns(MONOTONIC) > limit_ns {
                bail!("the load generator did not get ready");
            }
        }
        Ok(())
    }

    fn status(&self) -> Result<&Status> {
        self.status.first().context("the generator has no status")
    }
}

fn error(number: u64) -> Option<io::Error> {
    (number != 0).then(|| io::Error::from_raw_os_error(i32::try_from(number).unwrap_or(0)))
}

/// The generator's life. Like its workers', it must neither allocate nor lock.
fn lead(load: &Load, slots: &[Slot], status: &Status, pool: &mut Pool) -> Result<(), i32> {
    // SAFETY: changes nothing but how this process takes the signal.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    if let Err(number) = process::run_fifo(PRIORITY) {
        status.priority_errno.store(number as u64, Relaxed);
    }
    if let Service::Servers(standby) = load.service {
        for servers in standby {
            pool.prewarm(servers.like, servers.count)?;
        }
    }
    status.stage.store(READY, Release);
    futex::wait_while(&status.stage, READY);

    let told = match load.told {
        Telling::Map => Some(Told::open()?),
        Telling::Nobody | Telling::Names => None,
    };
    let start_ns = clock::now_ns(MONOTONIC) + START_NS;
    status.start_ns.store(start_ns, Relaxed);
    // SAFETY: has no preconditions.
    let own_pid = unsafe { libc::getpid() };
    for (request, (due, slot)) in load.due.iter().zip(slots).enumerate() {
        clock::sleep_until(start_ns + due.arrival_ns);
        let woken_ns = clock::now_ns(MONOTONIC);
        match load.service {
            Service::Processes => {
                if let Some(told) = &told {
                    told.tell(own_pid, due.job.cpu_ns)?;
                }
                if load.told == Telling::Names {
                    due.job.take_name();
                }
                due.job.launch(slot)?;
            }
            Service::Servers(_) => pool.serve(request, told.as_ref())?,
        }
        slot.set_launched(woken_ns, clock::now_ns(MONOTONIC));
    }
    match load.service {
        Service::Processes => process::wait_for_all_children(),
        Service::Servers(_) => {
            while !pool.is_idle() {
                clock::sleep_until(clock::now_ns(MONOTONIC) + DONE_NS);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn due(arrival_ms: u64, cpu_ms: u64) -> Due {
        Due {
            arrival_ns: arrival_ms * 1_000_000,
            function: 0,
            job: Job {
                name: Job::name("test"),
                cgroup: None,
                cpu_ns: cpu_ms * 1_000_000,
                pause_ns: 0,
            },
        }
    }

    fn generate(due: &[Due], service: Service, drain: Duration) -> Result<Run> {
        let load = Load {
            due,
            service,
            told: Telling::Nobody,
        };
        Generator::prepare(&load, &NEVER)?.run(drain, &NEVER, || ())
    }

    #[test]
    fn jobs_are_served_either_way() {
        let mut jobs = [due(0, 1), due(5, 2), due(5, 1), due(40, 1)];
        jobs[3].job.pause_ns = 5_000_000;
        for service in [
            Service::Processes,
            Service::Servers(&[Standby { like: 0, count: 1 }]),
            Service::Servers(&[]),
        ] {
            let run = generate(&jobs, service, Duration::from_secs(60)).unwrap();
            for (due, slot) in jobs.iter().zip(&*run.slots) {
                let (launched, served) = (slot.launched().unwrap(), slot.served().unwrap());
                assert!(launched.woken_ns >= run.start_ns + due.arrival_ns);
                assert!(served.cpu_ns >= due.job.cpu_ns);
                let took_ns = served.end_ns - served.first_run_ns;
                assert!(took_ns >= due.job.cpu_ns / 2 + due.job.pause_ns);
            }
        }
    }

    #[test]
    fn time_limit_ends_what_is_left() {
        for service in [
            Service::Processes,
            Service::Servers(&[Standby { like: 0, count: 1 }]),
        ] {
            let run = generate(&[due(0, 3_600_000)], service, Duration::ZERO).unwrap();
            assert!(run.slots[0].launched().is_some());
            assert_eq!(run.slots[0].served(), None);
        }
    }

    #[test]
    fn interruption_is_an_error() {
        let jobs = [due(10_000, 1)];
        let load = Load {
            due: &jobs,
            service: Service::Servers(&[Standby { like: 0, count: 2 }]),
            told: Telling::Nobody,
        };
        let generator = Generator::prepare(&load, &NEVER).unwrap();
        assert!(
            generator
                .run(Duration::ZERO, &AtomicBool::new(true), || ())
                .is_err()
        );
    }

    #[test]
    fn a_job_that_cannot_start_is_an_error() {
        let mut due = due(0, 1);
        due.job.cgroup = Some(-1);
        for service in [
            Service::Processes,
            Service::Servers(&[Standby { like: 0, count: 1 }]),
        ] {
            assert!(generate(&[due], service, Duration::ZERO).is_err());
        }
    }
}
