// SPDX-License-Identifier: GPL-2.0-only
//! Preempting from user space.
//!
//! Whoever is handed to the scheduler in user space waits until some CPU's task
//! ends its slice, which the kernel looks at at its ticks: milliseconds, which
//! for the shortest functions is several times what they need. A real-time
//! thread that does nothing helps: it sleeps until a task is handed over, and
//! as it wakes it takes the CPU from the task that runs there. That task has
//! used up its slice, which is but a moment, so the kernel side hands it over
//! too, and the scheduler decides anew who is to have that CPU.
//!
//! The scheduler chooses the CPU beforehand: the one that runs the last in the
//! order.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::mpsc;
use std::{io, mem, ptr, thread};

use anyhow::{Context, Result};

/// The thread, and how it is told what to do.
pub struct Poker {
    epoll: OwnedFd,
    bell: OwnedFd,
    thread: libc::pid_t,
    cpu: Option<usize>,
}

impl Poker {
    /// Starts the thread, which is to be done before anything is forbidden;
    /// for now nothing wakes it.
    ///
    /// # Errors
    /// When it cannot be started, or not with a real-time priority.
    pub fn start() -> Result<Self> {
        // SAFETY: neither call takes anything but flags.
        let epoll = unsafe { owned(libc::epoll_create1(libc::EPOLL_CLOEXEC)) };
        let bell = unsafe { owned(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK)) };
        let (epoll, bell) = (epoll?, bell?);
        watch(&epoll, bell.as_fd())?;
        let waits = epoll.as_raw_fd();
        let (send, started) = mpsc::channel();
        thread::Builder::new()
            .name("poker".to_owned())
            .spawn(move || {
                let begun = be_real_time();
                let is_ready = begun.is_ok();
                // Somebody waits for it.
                let _ = send.send(begun);
                if is_ready {
                    poke_for_ever(waits);
                }
            })
            .context("cannot start a thread")?;
        let thread = started.recv().context("the thread has ended")??;
        Ok(Self {
            epoll,
            bell,
            thread,
            cpu: None,
        })
    }
}

impl Poker {
    /// Has the thread wake whenever a task is handed over.
    pub fn heed(&self, handed_over: BorrowedFd) -> Result<()> {
        watch(&self.epoll, handed_over)
    }

    /// Chooses the CPU that is taken next.
    pub fn aim(&mut self, cpu: usize) {
        if self.cpu == Some(cpu) || cpu >= libc::CPU_SETSIZE as usize {
            return;
        }
        self.cpu = Some(cpu);
        // SAFETY: zeros are a set without members, and the CPU is within it.
        // Where that CPU is gone the thread stays where it was.
        unsafe {
            let mut cpus = mem::zeroed();
            libc::CPU_SET(cpu, &mut cpus);
            libc::sched_setaffinity(self.thread, mem::size_of_val(&cpus), &cpus);
        }
    }

    /// Takes the chosen CPU now.
    pub fn poke(&self) {
        let one = 1u64;
        // SAFETY: the number is there and as long as said. It cannot block.
        unsafe { libc::write(self.bell.as_raw_fd(), ptr::from_ref(&one).cast(), 8) };
    }
}

/// The lowest real-time priority, for which any thread of the ordinary kinds
/// makes way; its id.
fn be_real_time() -> io::Result<libc::pid_t> {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: concerns this thread only.
    let (error, thread) = unsafe {
        (
            libc::sched_setscheduler(0, libc::SCHED_FIFO, &priority),
            libc::gettid(),
        )
    };
    if error < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(thread)
}

/// Sleeps until anything happens, and again. Nothing is read: what is watched
/// tells of a change once.
fn poke_for_ever(epoll: RawFd) {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
    loop {
        // SAFETY: there is room for as many events as said.
        let length = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), 2, -1) };
        if length < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

fn watch(epoll: &OwnedFd, of: BorrowedFd) -> Result<()> {
    let mut event = libc::epoll_event {
        events: (libc::EPOLLIN | libc::EPOLLET) as u32,
        u64: 0,
    };
    // SAFETY: both descriptors are open and the event is there.
    let error = unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            of.as_raw_fd(),
            &mut event,
        )
    };
    if error < 0 {
        return Err(io::Error::last_os_error()).context("cannot wait for tasks");
    }
    Ok(())
}

/// # Safety
/// The descriptor, if it is one, must be new and nobody else's.
unsafe fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: by the caller's word.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
