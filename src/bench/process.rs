// SPDX-License-Identifier: GPL-2.0-only
//! Processes forked without exec.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use anyhow::{Context, Result};

/// A forked process that leads a process group of its own; dropping it kills
/// the group.
pub struct Child {
    pid: libc::pid_t,
    pidfd: OwnedFd,
}

impl Child {
    /// Runs `life` in a new process that ends with it, and with its parent.
    ///
    /// `life` runs in a copy of a process that may have had other threads, so
    /// it should do no more than a signal handler may.
    pub fn fork(life: impl FnOnce()) -> Result<Self> {
        // SAFETY: has no preconditions.
        let parent = unsafe { libc::getpid() };
        // SAFETY: `life` is bound to what is safe in the child, see above.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            become_leader(parent);
            life();
            // SAFETY: ends the process without running the parent's exit
            // handlers.
            unsafe { libc::_exit(0) };
        }
        if pid < 0 {
            return Err(io::Error::last_os_error()).context("cannot fork");
        }
        // Both parent and child do this, as either may be first to need it.
        // SAFETY: has no preconditions.
        unsafe { libc::setpgid(pid, pid) };
        // SAFETY: has no preconditions.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if pidfd < 0 {
            let error = io::Error::last_os_error();
            end_group(pid);
            return Err(error).context("cannot watch a process by pidfd (needs Linux 5.3)");
        }
        // SAFETY: a new descriptor that nobody else owns; the kernel's
        // descriptors fit an int.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
        Ok(Self { pid, pidfd })
    }

    /// Waits for the process to end; `false` if it has not within `patience`
    /// or before a signal came.
    pub fn wait(&self, patience: Duration) -> Result<bool> {
        let mut poll = libc::pollfd {
            fd: self.pidfd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let patience_ms = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one valid pollfd.
        match unsafe { libc::poll(&mut poll, 1, patience_ms) } {
            0 => Ok(false),
            1.. => Ok(true),
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
                error => Err(error).context("cannot wait for a process"),
            },
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        end_group(self.pid);
    }
}

/// Kills a group and reaps its leader, whose number stays taken until then.
fn end_group(leader: libc::pid_t) {
    // SAFETY: the leader is our child and not reaped yet, so the number is
    // still its group's.
    unsafe {
        libc::kill(-leader, libc::SIGKILL);
        libc::waitpid(leader, ptr::null_mut(), 0);
    }
}

fn become_leader(parent: libc::pid_t) {
    // SAFETY: these only change how this process is treated.
    unsafe {
        libc::setpgid(0, 0);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
        // The parent may have gone before it was asked to take us along.
        if libc::getppid() != parent {
            libc::_exit(1);
        }
    }
}

/// Makes this process, but not those it forks, a real-time one.
///
/// # Errors
/// The error number, usually EPERM.
pub fn run_fifo(priority: i32) -> Result<(), i32> {
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    let param = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: `param` is valid.
    match unsafe { libc::sched_setscheduler(0, policy, &param) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// Waits until this process has no child left.
pub fn wait_for_all_children() {
    loop {
        // SAFETY: the status is not asked for.
        let pid = unsafe { libc::waitpid(-1, ptr::null_mut(), 0) };
        if pid < 0 && errno() != libc::EINTR {
            return;
        }
    }
}

/// The calling thread's last error number.
pub fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}
