// SPDX-License-Identifier: GPL-2.0-only
//! A process of a scenario's own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;

use crate::cgroup::Cgroup;
use crate::proc;

/// The kernel's; libc's constant of this name is cut to 32 bits.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// A forked process; dropping it kills it.
pub struct Child {
    pid: i32,
    reaped: bool,
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// As of `wait`.
    status: i32,
    /// CPU time of all its threads, as the kernel accounts it to who waits.
    pub cpu: Duration,
    /// CPU time of its first thread, by its `schedstat`.
    pub leader_cpu: Duration,
}

impl Ended {
    /// Whether the work was done to its end.
    pub fn is_ok(&self) -> bool {
        libc::WIFEXITED(self.status) && libc::WEXITSTATUS(self.status) == 0
    }
}

impl Child {
    /// Run `work` in a new process, born in `cgroup` where there is one.
    pub fn start(cgroup: Option<&Cgroup>, work: impl FnOnce()) -> Result<Self> {
        let pid = fork(cgroup).context("cannot fork")?;
        if pid == 0 {
            // What the parent would clean up at its end is none of the child's.
            let done = catch_unwind(AssertUnwindSafe(work)).is_ok();
            // SAFETY: always allowed; it does not return.
            unsafe { libc::_exit(if done { 0 } else { 101 }) };
        }
        Ok(Self { pid, reaped: false })
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Wait for its end.
    pub fn wait(mut self) -> Result<Ended> {
        self.reap()
    }

    /// Wait for its end, which must be a good one.
    pub fn finish(self) -> Result<Ended> {
        let pid = self.pid;
        let ended = self.wait()?;
        if !ended.is_ok() {
            bail!(
                "process {pid} did not do its work to the end (wait status {:#x})",
                ended.status
            );
        }
        Ok(ended)
    }

    fn reap(&mut self) -> Result<Ended> {
        // A zombie's accounts are closed and can still be read.
        // SAFETY: a siginfo of zero bytes is valid, and ours to be written to.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let flags = libc::WEXITED | libc::WNOWAIT;
        let id = self.pid as libc::id_t;
        // SAFETY: `info` outlives the call.
        while unsafe { libc::waitid(libc::P_PID, id, &mut info, flags) } < 0 {
            if Errno::last() != Errno::EINTR {
                return Err(Errno::last()).context("cannot wait for a process");
            }
        }
        let leader_cpu = proc::cpu(self.pid)?;

        let mut status = 0;
        // SAFETY: a rusage of zero bytes is valid, and ours to be written to.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both outlive the call.
        if unsafe { libc::wait4(self.pid, &mut status, 0, &mut usage) } != self.pid {
            return Err(Errno::last()).context("cannot reap a process");
        }
        self.reaped = true;
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
        };
        Ok(Ended {
            status,
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
            leader_cpu,
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        // SAFETY: the process is our own child and not reaped, so the id is still its.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        let _ = self.reap();
    }
}

/// Fork, directly into `cgroup`; 0 in the child. There is only one thread,
/// so the child may do whatever its parent might.
pub fn fork(cgroup: Option<&Cgroup>) -> Result<i32, Errno> {
    let Some(cgroup) = cgroup else {
        // SAFETY: see above.
        return Errno::result(unsafe { libc::fork() });
    };
    // SAFETY: arguments of zero bytes ask for nothing.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = libc::SIGCHLD as u64;
    arguments.cgroup = cgroup.descriptor() as u64;
    // SAFETY: as a fork; the arguments outlive the call.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &arguments, size_of_val(&arguments)) };
    Errno::result(pid).map(|pid| pid as i32)
}
