// SPDX-License-Identifier: GPL-2.0-only
//! A stream of invocations of one function, each a process of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cgroup::Cgroup;
use crate::child::{Child, fork};
use crate::clock::spin_until;
use crate::policy::{self, Policy};
use crate::shared::{Board, Shared};
use crate::wait;

/// When invocations arrive.
#[derive(Clone, Copy, Debug)]
pub enum Arrivals {
    /// One for each that ends, so that there are always so many.
    Always(usize),
    /// At a steady pace, whatever becomes of them.
    Every(Duration),
}

/// How invocations come to be in their function's cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Born,
    /// Forked elsewhere and moved by their parent while they start.
    Moved,
}

/// A generator process and what it reports; dropping it kills the generator.
pub struct Stream {
    generator: Child,
    tally: Shared<Tally>,
}

/// What the generator counts. Times are nanoseconds.
#[derive(Default)]
struct Tally {
    stop: AtomicU64,
    ended: AtomicU64,
    response_ns: AtomicU64,
    longest_ns: AtomicU64,
}

// SAFETY: all fields are atomic integers.
unsafe impl Board for Tally {}

/// How the invocations of a stream did.
#[derive(Clone, Copy, Debug)]
pub struct Responses {
    pub count: u64,
    /// From arrival, before the fork, to after the exit.
    pub mean: Duration,
    pub longest: Duration,
}

impl Stream {
    /// Begin a stream of processes that use `cpu` of CPU time each.
    pub fn start(cgroup: &Cgroup, cpu: Duration, arrivals: Arrivals, entry: Entry) -> Result<Self> {
        let tally = Shared::<Tally>::new()?;
        let generator = Child::start(None, || {
            let generator = Generator {
                cgroup,
                cpu,
                arrivals,
                entry,
                tally: &tally,
                running: HashMap::new(),
            };
            generator.run().expect("the generator works");
        })?;
        Ok(Self { generator, tally })
    }

    /// Invocations that have ended so far.
    pub fn ended(&self) -> u64 {
        self.tally.ended.load(Relaxed)
    }

    /// Wait until more have ended than were just about to.
    pub fn await_more(&self, limit: Duration) -> Result<()> {
        const MORE: u64 = 5;
        let ended = self.ended();
        wait::until("invocations to go on", limit, || {
            Ok(self.ended() > ended + MORE)
        })
    }

    /// Let no more arrive, wait for those under way, and say how all did.
    pub fn stop(self) -> Result<Responses> {
        self.tally.stop.store(1, Relaxed);
        self.generator.finish().context("a generator broke")?;
        let count = self.tally.ended.load(Relaxed);
        if count == 0 {
            bail!("expected invocations of a stream to end, and none did");
        }
        Ok(Responses {
            count,
            mean: Duration::from_nanos(self.tally.response_ns.load(Relaxed) / count),
            longest: Duration::from_nanos(self.tally.longest_ns.load(Relaxed)),
        })
    }
}

/// Runs before all that it measures, so that it adds no delay of its own.
struct Generator<'a> {
    cgroup: &'a Cgroup,
    cpu: Duration,
    arrivals: Arrivals,
    entry: Entry,
    tally: &'a Tally,
    running: HashMap<i32, Instant>,
}

impl Generator<'_> {
    fn run(mut self) -> Result<()> {
        const PRIORITY: i32 = 50;
        policy::set(0, Policy::Fifo(PRIORITY))?;
        let ended = Signals::block_child_ended();
        let mut due = Instant::now();
        loop {
            self.reap();
            let stopping = self.tally.stop.load(Relaxed) != 0;
            if stopping && self.running.is_empty() {
                return Ok(());
            }
            let wait = match self.arrivals {
                _ if stopping => Duration::from_millis(100),
                Arrivals::Always(count) if self.running.len() < count => Duration::ZERO,
                Arrivals::Always(_) => Duration::from_millis(100),
                Arrivals::Every(_) => due.saturating_duration_since(Instant::now()),
            };
            if !wait.is_zero() {
                ended.wait(wait.min(Duration::from_millis(100)));
                continue;
            }
            match self.arrivals {
                Arrivals::Always(_) => self.launch(Instant::now())?,
                Arrivals::Every(pace) => {
                    self.launch(due)?;
                    due += pace;
                }
            }
        }
    }

    fn launch(&mut self, arrival: Instant) -> Result<()> {
        let born = (self.entry == Entry::Born).then_some(self.cgroup);
        let pid = fork(born).context("cannot fork")?;
        if pid == 0 {
            spin_until(self.cpu);
            // SAFETY: always allowed; it does not return.
            unsafe { libc::_exit(0) };
        }
        if self.entry == Entry::Moved {
            self.cgroup.take(pid)?;
        }
        self.running.insert(pid, arrival);
        Ok(())
    }

    fn reap(&mut self) {
        loop {
            // SAFETY: asks for no more than the id.
            let pid = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
            let Some(arrival) = self.running.remove(&pid) else {
                return;
            };
            let response_ns = arrival.elapsed().as_nanos() as u64;
            self.tally.response_ns.fetch_add(response_ns, Relaxed);
            self.tally.longest_ns.fetch_max(response_ns, Relaxed);
            self.tally.ended.fetch_add(1, Relaxed);
        }
    }
}

/// The signal that tells of a child's end, waited for instead of delivered.
struct Signals(libc::sigset_t);

impl Signals {
    fn block_child_ended() -> Self {
        // SAFETY: a signal set is initialised before it is used, and outlives the calls.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGCHLD);
            libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            Self(set)
        }
    }

    /// Until a child ends, or for `limit`.
    fn wait(&self, limit: Duration) {
        let limit = libc::timespec {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_nsec: limit.subsec_nanos() as libc::c_long,
        };
        // SAFETY: both outlive the call, and no information about the signal is asked for.
        unsafe { libc::sigtimedwait(&self.0, std::ptr::null_mut(), &limit) };
    }
}
