// SPDX-License-Identifier: GPL-2.0-only
//! Who waits for a CPU, in the order of the keys.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::mem;

use crate::bpf::QueuedTask;

/// Room for so many, which never grows.
const CAPACITY: usize = 32_768;

/// A task that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The smallest goes first.
    pub key_ns: u64,
    /// Since when, on our clock; the earlier goes first where keys are equal.
    pub since_ns: u64,
    pub slice_ns: u64,
    pub pid: i32,
    /// The CPU it has run on.
    pub cpu: i32,
    pub is_pinned: bool,
    /// Whether it may not run on every CPU.
    pub is_confined: bool,
    pub flags: u64,
    pub visits: u64,
}

impl Waiting {
    pub fn new(task: &QueuedTask, key_ns: u64, slice_ns: u64, since_ns: u64) -> Self {
        Self {
            key_ns,
            since_ns,
            slice_ns,
            pid: task.pid,
            cpu: task.cpu,
            is_pinned: task.nr_cpus_allowed == 1,
            is_confined: task.nr_cpus_allowed < *scx_utils::NR_CPU_IDS as u64,
            flags: task.flags,
            visits: task.enq_cnt,
        }
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    /// Of the heap, whose greatest comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |at: &Self| (at.key_ns, at.since_ns, at.pid);
        place(other).cmp(&place(self))
    }
}

/// All that wait.
pub struct WaitingRoom {
    heap: BinaryHeap<Waiting>,
}

impl WaitingRoom {
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::with_capacity(CAPACITY),
        }
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_full(&self) -> bool {
        self.heap.len() >= CAPACITY
    }

    pub fn push(&mut self, waiting: Waiting) {
        self.heap.push(waiting);
    }

    /// The one to run next.
    pub fn pop(&mut self) -> Option<Waiting> {
        self.heap.pop()
    }

    /// The key of the one to run next.
    pub fn best_key_ns(&self) -> Option<u64> {
        self.heap.peek().map(|at| at.key_ns)
    }

    /// Puts those in front that have waited since before `since_ns`, in the
    /// order of their waiting; how many.
    pub fn rescue(&mut self, since_ns: u64) -> usize {
        let is_due = |at: &Waiting| at.since_ns < since_ns && at.key_ns > 0;
        if !self.heap.iter().any(is_due) {
            return 0;
        }
        let mut all = mem::take(&mut self.heap).into_vec();
        let mut rescued = 0;
        for at in all.iter_mut().filter(|at| is_due(at)) {
            at.key_ns = 0;
            rescued += 1;
        }
        // In place: neither way copies.
        self.heap = BinaryHeap::from(all);
        rescued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(key_ns: u64, since_ns: u64) -> Waiting {
        Waiting {
            key_ns,
            since_ns,
            slice_ns: 1,
            pid: since_ns as i32,
            cpu: 0,
            is_pinned: false,
            is_confined: false,
            flags: 0,
            visits: 1,
        }
    }

    fn order(room: &mut WaitingRoom) -> Vec<u64> {
        std::iter::from_fn(|| room.pop().map(|at| at.since_ns)).collect()
    }

    #[test]
    fn the_smallest_key_goes_first_and_the_earlier_of_equals() {
        let mut room = WaitingRoom::new();
        for waiting in [at(5, 1), at(3, 4), at(3, 2), at(9, 3)] {
            room.push(waiting);
        }
        assert_eq!(order(&mut room), [2, 4, 1, 3]);
    }

    #[test]
    fn who_has_waited_too_long_goes_in_front() {
        let mut room = WaitingRoom::new();
        for waiting in [at(5, 10), at(900, 2), at(800, 3), at(700, 20)] {
            room.push(waiting);
        }
        assert_eq!(room.rescue(5), 2);
        assert_eq!(room.rescue(5), 0);
        assert_eq!(order(&mut room), [2, 3, 10, 20]);
    }

    #[test]
    fn its_room_is_there_from_the_start() {
        let mut room = WaitingRoom::new();
        let capacity = room.heap.capacity();
        let mut since_ns = 0;
        while !room.is_full() {
            since_ns += 1;
            room.push(at(7, since_ns));
        }
        room.rescue(100);
        assert_eq!(room.heap.capacity(), capacity);
    }
}
