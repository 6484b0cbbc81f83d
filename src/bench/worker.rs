// SPDX-License-Identifier: GPL-2.0-only
//! One invocation: a process that is born in its function's cgroup, or has
//! waited there, uses the CPU time it was asked for and writes down how that
//! went.
//!
//! All of this happens between fork and exit without exec, so it may only do
//! what a signal handler may: no allocation, no locks.

use std::hint::black_box;
use std::os::fd::RawFd;

use super::clock::{self, CPU, MONOTONIC};
use super::process::errno;
use super::slot::{Served, Slot};

/// Longest name of a process, its closing zero byte included.
pub const NAME_BYTES: usize = 16;

/// From linux/sched.h; libc's constant of this name is cut to 32 bits.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// What is to be run, laid out before the load begins.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Name of the process, closed by a zero byte.
    pub name: [u8; NAME_BYTES],
    /// The directory of its cgroup; `None`: its parent's cgroup.
    pub cgroup: Option<RawFd>,
    pub cpu_ns: u64,
    /// Sleeps so long once half of it is done; 0: not at all.
    pub pause_ns: u64,
}

/// What a process has used before it turns to an invocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    cpu_ns: u64,
    switches: u64,
}

impl Usage {
    /// This process's, so far.
    pub fn now() -> Self {
        Self {
            cpu_ns: clock::now_ns(CPU),
            switches: switches(),
        }
    }
}

impl Job {
    /// A process name from a function's, cut to what fits.
    pub fn name(function: &str) -> [u8; NAME_BYTES] {
        let mut name = [0; NAME_BYTES];
        for (to, from) in name[..NAME_BYTES - 1].iter_mut().zip(function.bytes()) {
            *to = from;
        }
        name
    }

    /// A process name that tells its CPU time; `None` where it does not fit.
    pub fn telling_name(cpu_ns: u64) -> Option<[u8; NAME_BYTES]> {
        let name = format!("cpu:{cpu_ns}");
        (name.len() < NAME_BYTES).then(|| Self::name(&name))
    }

    /// Starts the job in a new process. Its end is up to `SIGCHLD`.
    ///
    /// # Errors
    /// The error number of the system call.
    pub fn launch(&self, slot: &Slot) -> Result<(), i32> {
        match fork(self.cgroup) {
            0 => self.run(slot),
            1.. => Ok(()),
            _ => Err(errno()),
        }
    }

    /// Gives this process the job's name.
    pub fn take_name(&self) {
        // SAFETY: the name is closed by a zero byte.
        unsafe { libc::prctl(libc::PR_SET_NAME, self.name.as_ptr()) };
    }

    /// Does the job and writes down how it went. What the process had used
    /// `before` does not count.
    pub fn work(&self, slot: &Slot, before: Usage) {
        let first_run_ns = clock::now_ns(MONOTONIC);
        if self.pause_ns > 0 {
            spin(before.cpu_ns + self.cpu_ns / 2);
            clock::sleep_until(clock::now_ns(MONOTONIC) + self.pause_ns);
        }
        let cpu_ns = spin(before.cpu_ns + self.cpu_ns);
        slot.set_served(Served {
            first_run_ns,
            cpu_ns: cpu_ns - before.cpu_ns,
            switches: switches().saturating_sub(before.switches),
            end_ns: clock::now_ns(MONOTONIC),
        });
    }

    fn run(&self, slot: &Slot) -> ! {
        self.take_name();
        self.work(slot, Usage::default());
        // SAFETY: ends the process without running anybody's exit handlers.
        unsafe { libc::_exit(0) }
    }
}

/// Uses the CPU until the process has had `cpu_ns` of it; returns what it had.
///
/// CPU time never runs faster than wall time, so as much wall time as CPU
/// time is missing can pass before looking again. That keeps the system call
/// rare, which matters: it makes the kernel update its accounts as a tick
/// would, and looking every 20 us had EEVDF switch 2.6 times as often and
/// serve short invocations a quarter better than it does real ones.
pub fn spin(cpu_ns: u64) -> u64 {
    loop {
        let used_ns = clock::now_ns(CPU);
        let Some(missing_ns @ 1..) = cpu_ns.checked_sub(used_ns) else {
            return used_ns;
        };
        let until_ns = clock::now_ns(MONOTONIC) + missing_ns;
        while clock::now_ns(MONOTONIC) < until_ns {
            // A few microseconds, in case reading the clock is a system call.
            for i in 0..2000 {
                black_box(i);
            }
        }
    }
}

/// How often this process was switched out so far.
fn switches() -> u64 {
    // SAFETY: all-zero is a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is valid for writing. A failure leaves it 0.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    (usage.ru_nvcsw + usage.ru_nivcsw) as u64
}

/// A fork whose child is in its cgroup from birth. Moving it there afterwards
/// would have it start in the wrong one and hold the cgroup's locks, under
/// which no other process can be forked.
///
/// A bare system call, so that no library's fork handlers run in the child.
pub fn fork(cgroup: Option<RawFd>) -> libc::c_long {
    // SAFETY: all-zero asks for the plainest of clones.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = cgroup {
        args.flags = CLONE_INTO_CGROUP;
        args.cgroup = cgroup as u64;
    }
    // SAFETY: without CLONE_VM this is a fork: the child goes on with a copy
    // of the stack. All callers do there is async-signal-safe and does not
    // return.
    unsafe { libc::syscall(libc::SYS_clone3, &args, size_of::<libc::clone_args>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_closed() {
        assert_eq!(&Job::name("f0001ms")[..8], b"f0001ms\0");
        assert_eq!(&Job::name("a-rather-long-name"), b"a-rather-long-n\0");
        assert_eq!(
            Job::telling_name(99_999_999_999).as_ref(),
            Some(b"cpu:99999999999\0")
        );
        assert_eq!(Job::telling_name(100_000_000_000), None);
    }

    #[test]
    fn spin_uses_what_was_asked_for() {
        let before_ns = clock::now_ns(CPU);
        let used_ns = spin(before_ns + 2_000_000);
        assert!(used_ns >= before_ns + 2_000_000);
    }
}
