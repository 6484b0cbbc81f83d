// SPDX-License-Identifier: GPL-2.0-only
//! A function: its limits, its cgroup and user, its requests.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::cgroups::Leaf;
use super::failure::Failure;
use super::interpreter::Interpreter;
use super::limits::Limits;
use super::order::{Start, Work};
use super::stats::{Shown, Stats};

pub struct Function {
    pub name: String,
    pub limits: Limits,
    pub cgroup: Option<Leaf>,
    pub uid: Option<u32>,
    pub stats: RefCell<Stats>,
    /// One for each Python file that was asked for.
    pub interpreters: RefCell<HashMap<PathBuf, Rc<Interpreter>>>,
    permits: Semaphore,
    running: Cell<usize>,
    queued: Cell<usize>,
    /// Whether processes of it were left over, so that no more are started
    /// until those that count have ended.
    draining: Cell<bool>,
    /// How many of its processes were killed for want of memory so far.
    killed_for_memory: Cell<u64>,
}

/// Leave to run one invocation.
pub struct Turn<'a> {
    function: &'a Function,
    _permit: SemaphorePermit<'a>,
}

impl Function {
    pub fn new(name: String, limits: Limits, cgroup: Option<Leaf>, uid: Option<u32>) -> Self {
        // More could not run anyway.
        let at_once = usize::try_from(limits.processes).unwrap_or(usize::MAX);
        Self {
            name,
            limits,
            cgroup,
            uid,
            stats: RefCell::new(Stats::new()),
            interpreters: RefCell::default(),
            permits: Semaphore::new(limits.concurrency.min(at_once)),
            running: Cell::new(0),
            queued: Cell::new(0),
            draining: Cell::new(false),
            killed_for_memory: Cell::new(0),
        }
    }

    /// Waits until one more may run.
    ///
    /// # Errors
    /// When too many wait, and when it has too many processes.
    pub async fn turn(&self) -> Result<Turn<'_>, Failure> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let queued = self.queued.get();
                if queued >= self.limits.queue {
                    return Err(Failure::QueueFull(queued));
                }
                let _place = Place::in_queue(&self.queued);
                let permit = self.permits.acquire().await;
                permit.map_err(|_| Failure::NotStarted("the worker ends".to_owned()))?
            }
        };
        if self.draining.get() && self.running.get() > 0 {
            return Err(Failure::NotStarted(
                "it has as many processes as it may have".to_owned(),
            ));
        }
        self.running.set(self.running.get() + 1);
        Ok(Turn {
            function: self,
            _permit: permit,
        })
    }

    /// A process of it to be started.
    pub fn start(&self, job: u64, work: Work) -> Start {
        let limited = self.cgroup.as_ref().is_some_and(|cgroup| cgroup.memory);
        Start {
            job,
            name: self.name.clone(),
            work,
            uid: self.uid,
            address_space: (!limited).then_some(self.limits.memory_bytes),
            processes: self.uid.map(|_| self.limits.processes),
        }
    }

    /// Starts no more until all that run have ended: it has as many processes as
    /// it may have.
    pub fn hold(&self) {
        self.draining.set(true);
        self.sweep();
    }

    /// Whether processes were killed for want of memory since it was asked last.
    pub fn was_short_of_memory(&self) -> bool {
        let killed = self.cgroup.as_ref().map_or(0, Leaf::killed_for_memory);
        self.killed_for_memory.replace(killed) < killed
    }

    pub fn show(&self) -> Shown {
        let stats = self.stats.borrow();
        stats.show(self.running.get(), self.queued.get())
    }

    /// Kills what invocations have left behind, where none runs.
    fn sweep(&self) {
        if self.running.get() > 0 {
            return;
        }
        self.draining.set(false);
        let Some(cgroup) = &self.cgroup else { return };
        let interpreters = self.interpreters.borrow();
        let alive = interpreters.values().filter(|i| i.is_alive()).count();
        if cgroup.processes() > alive {
            cgroup.kill();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.function.running.set(self.function.running.get() - 1);
        self.function.sweep();
    }
}

/// A place in a queue, given up when dropped.
struct Place<'a>(&'a Cell<usize>);

impl<'a> Place<'a> {
    fn in_queue(queue: &'a Cell<usize>) -> Self {
        queue.set(queue.get() + 1);
        Self(queue)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
