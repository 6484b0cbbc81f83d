// SPDX-License-Identifier: GPL-2.0-only
//! Long-lived processes that take requests and sleep in between: the other
//! way to serve a function, beside a process for each invocation.
//!
//! A function has as many instances as it needed at once so far. A request
//! goes to the one that has rested longest among the idle; where all are
//! busy, a new one is born with the request in its hands.
//!
//! The generator owns the pool. After its fork neither it nor an instance may
//! allocate or lock.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::futex;
use super::generator::Due;
use super::process::errno;
use super::shared::Shareable;
use super::slot::Slot;
use super::told::Told;
use super::worker::{self, Usage};

/// More instances than this are not kept.
pub const MAX_INSTANCES: usize = 1 << 15;

const IDLE: u32 = 0;
const BUSY: u32 = 1;

const NONE: u32 = u32::MAX;

/// Where an instance finds its next request. A cache line of its own.
#[repr(align(64))]
pub struct Post {
    state: AtomicU32,
    request: AtomicU64,
}

// SAFETY: nothing but atomic integers.
unsafe impl Shareable for Post {}

impl Post {
    fn put(&self, request: usize) {
        self.request.store(request as u64, Relaxed);
        self.state.store(BUSY, Release);
    }
}

/// All functions' instances.
pub struct Pool<'a> {
    due: &'a [Due],
    slots: &'a [Slot],
    /// One for each instance that may ever be born.
    posts: &'a [Post],
    pids: Vec<libc::pid_t>,
    /// Each function's instances form a ring, in the order of their last use.
    next: Vec<u32>,
    /// The one used last, for each function.
    last: Vec<u32>,
}

impl<'a> Pool<'a> {
    /// An empty pool with all the memory it will ever need.
    pub fn new(due: &'a [Due], slots: &'a [Slot], posts: &'a [Post]) -> Self {
        let functions = due.iter().map(|due| due.function as usize + 1).max();
        Self {
            due,
            slots,
            posts,
            pids: Vec::with_capacity(posts.len()),
            next: Vec::with_capacity(posts.len()),
            last: vec![NONE; functions.unwrap_or(0)],
        }
    }

    /// Starts `count` instances of the function that `request` asks for.
    ///
    /// # Errors
    /// The error number of the system call.
    pub fn prewarm(&mut self, request: usize, count: u32) -> Result<(), i32> {
        for _ in 0..count {
            if self.pids.len() < self.posts.len() {
                self.bear(request, None)?;
            }
        }
        Ok(())
    }

    /// Hands a request to an instance.
    ///
    /// # Errors
    /// The error number of the system call; `EAGAIN` when there can be no
    /// more instances.
    pub fn serve(&mut self, request: usize, told: Option<&Told>) -> Result<(), i32> {
        let function = self.due[request].function as usize;
        let cpu_ns = self.due[request].job.cpu_ns;
        match self.rested(function) {
            Some(instance) => {
                if let Some(told) = told {
                    told.tell(self.pids[instance], cpu_ns)?;
                }
                self.last[function] = instance as u32;
                self.posts[instance].put(request);
                futex::wake(&self.posts[instance].state);
                Ok(())
            }
            None if self.pids.len() < self.posts.len() => {
                if let Some(told) = told {
                    // SAFETY: has no preconditions.
                    told.tell(unsafe { libc::getpid() }, cpu_ns)?;
                }
                self.bear(request, Some(request))
            }
            None => Err(libc::EAGAIN),
        }
    }

    /// Whether no instance has anything to do.
    pub fn is_idle(&self) -> bool {
        self.posts[..self.pids.len()]
            .iter()
            .all(|post| post.state.load(Acquire) == IDLE)
    }

    /// The idle instance that was used the longest time ago.
    fn rested(&self, function: usize) -> Option<usize> {
        let last = self.last[function];
        if last == NONE {
            return None;
        }
        let mut instance = last;
        loop {
            instance = self.next[instance as usize];
            if self.posts[instance as usize].state.load(Acquire) == IDLE {
                return Some(instance as usize);
            }
            if instance == last {
                return None;
            }
        }
    }

    /// Starts an instance of the function that `like` asks for, with its
    /// first request if there is one.
    fn bear(&mut self, like: usize, first: Option<usize>) -> Result<(), i32> {
        let instance = self.pids.len();
        if let Some(request) = first {
            self.posts[instance].put(request);
        }
        // SAFETY: has no preconditions.
        let parent = unsafe { libc::getpid() };
        match worker::fork(self.due[like].job.cgroup) {
            0 => self.live(instance, like, parent),
            pid @ 1.. => {
                // Within what `new` has reserved, so without allocating.
                self.pids.push(pid as libc::pid_t);
                let last = &mut self.last[self.due[like].function as usize];
                if *last == NONE {
                    self.next.push(instance as u32);
                } else {
                    self.next.push(self.next[*last as usize]);
                    self.next[*last as usize] = instance as u32;
                }
                *last = instance as u32;
                Ok(())
            }
            _ => Err(errno()),
        }
    }

    /// An instance's life, which ends with the generator's.
    fn live(&self, instance: usize, like: usize, parent: libc::pid_t) -> ! {
        // SAFETY: these only change how this process is treated.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
            // The generator may have gone before it was asked to take us along.
            if libc::getppid() != parent {
                libc::_exit(1);
            }
        }
        self.due[like].job.take_name();
        let post = &self.posts[instance];
        loop {
            futex::wait_while(&post.state, IDLE);
            let request = post.request.load(Relaxed) as usize;
            self.due[request]
                .job
                .work(&self.slots[request], Usage::now());
            post.state.store(IDLE, Release);
        }
    }
}
