// SPDX-License-Identifier: GPL-2.0-only
//! The process that starts the functions' processes: small, with one thread
//! and started before the worker has more, so that a fork of it is cheap and
//! safe. It ends with its worker, and its children with it.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::child;
use super::messages::{self, Message};
use super::order::{Ending, Order, Start, Status};
use crate::bench::clock::{self, MONOTONIC};
use crate::bench::process::errno;
use crate::bench::worker as job;

/// Standard input, output and error.
const STANDARD: usize = 3;

struct Forker {
    socket: OwnedFd,
    pids: HashMap<u64, libc::pid_t>,
    jobs: HashMap<libc::pid_t, Running>,
}

struct Running {
    job: u64,
    start_ns: u64,
}

/// The forker's life, until its worker closes the other end of `socket`.
pub fn live(socket: OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptors above the standard ones belong to the worker,
    // whose copies of their owners are never dropped here.
    unsafe {
        let raw = socket.as_raw_fd() as u32;
        if raw > 3 {
            libc::close_range(3, raw - 1, 0);
        }
        libc::close_range(raw + 1, u32::MAX, 0);
        // What functions leave behind comes here to be reaped.
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
        libc::prctl(libc::PR_SET_NAME, c"alps-forker".as_ptr());
    }
    let mut ended = SigSet::empty();
    ended.add(Signal::SIGCHLD);
    ended.thread_block()?;
    let signals = SignalFd::with_flags(&ended, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let mut forker = Forker {
        socket,
        pids: HashMap::new(),
        jobs: HashMap::new(),
    };
    loop {
        let mut fds = [
            PollFd::new(forker.socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::Error::EINTR) => continue,
            result => result?,
        };
        let [asked, ended] = fds.map(|fd| fd.any().unwrap_or(false));
        if ended {
            while signals.read_signal()?.is_some() {}
            forker.reap()?;
        }
        if asked {
            let Some(message) = messages::receive(&forker.socket)? else {
                forker.kill_all();
                return Ok(());
            };
            forker.obey(message)?;
        }
    }
}

impl Forker {
    fn obey(&mut self, message: Message) -> io::Result<()> {
        match serde_json::from_slice(&message.bytes)? {
            Order::Start(start) => self.start(&start, &message.fds),
            Order::Kill { job } => {
                if let Some(&pid) = self.pids.get(&job) {
                    kill_group(pid);
                }
                Ok(())
            }
            Order::Run { job } => self.tell(&Ending::not_started(job, libc::EINVAL)),
        }
    }

    fn start(&mut self, start: &Start, fds: &[OwnedFd]) -> io::Result<()> {
        let (standard, cgroup) = fds.split_at(STANDARD.min(fds.len()));
        // SAFETY: has no preconditions.
        let own_pid = unsafe { libc::getpid() };
        match job::fork(cgroup.first().map(AsRawFd::as_raw_fd)) {
            0 => child::live(start, standard, own_pid),
            pid @ 1.. => {
                let pid = pid as libc::pid_t;
                self.pids.insert(start.job, pid);
                let running = Running {
                    job: start.job,
                    start_ns: clock::now_ns(MONOTONIC),
                };
                self.jobs.insert(pid, running);
                Ok(())
            }
            _ => self.tell(&Ending::not_started(start.job, errno())),
        }
    }

    /// Reaps all that has ended, and kills what their groups have left.
    fn reap(&mut self) -> io::Result<()> {
        while let Some(pid) = next_ended() {
            let running = self.jobs.remove(&pid);
            if running.is_some() {
                kill_group(pid);
            }
            let mut status = 0;
            // SAFETY: all-zero is a valid rusage.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            // SAFETY: both are valid for writing.
            unsafe { libc::wait4(pid, &mut status, 0, &mut usage) };
            let Some(running) = running else { continue };
            self.pids.remove(&running.job);
            self.tell(&Ending {
                job: running.job,
                status: if libc::WIFSIGNALED(status) {
                    Status::Signalled(libc::WTERMSIG(status))
                } else {
                    Status::Exited(libc::WEXITSTATUS(status))
                },
                start_ns: running.start_ns,
                end_ns: clock::now_ns(MONOTONIC),
                cpu_ns: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime),
                switches: (usage.ru_nvcsw + usage.ru_nivcsw) as u64,
            })?;
        }
        Ok(())
    }

    fn tell(&self, ending: &Ending) -> io::Result<()> {
        messages::send(&self.socket, &serde_json::to_vec(ending)?, &[])
    }

    fn kill_all(&self) {
        self.jobs.keys().for_each(|&pid| kill_group(pid));
    }
}

/// A child that has ended and keeps its number, as it is not reaped yet.
fn next_ended() -> Option<libc::pid_t> {
    // SAFETY: all-zero is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: `info` is valid for writing.
    let result = unsafe { libc::waitid(libc::P_ALL, 0, &mut info, flags) };
    // SAFETY: waitid has filled it in, or left it 0.
    let pid = unsafe { info.si_pid() };
    (result == 0 && pid > 0).then_some(pid)
}

/// Kills a child that is not reaped yet, and all of the group it leads.
fn kill_group(pid: libc::pid_t) {
    // SAFETY: the number is still the child's. It leads no group in its very
    // first moments.
    unsafe {
        libc::kill(-pid, libc::SIGKILL);
        libc::kill(pid, libc::SIGKILL);
    }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * clock::NS_PER_S + time.tv_usec as u64 * 1000
}
