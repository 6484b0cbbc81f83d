// SPDX-License-Identifier: GPL-2.0-only
//! The tasks that are remembered: so many and no more.

use crate::task::Task;

/// Sets, a power of two, and places in each: 32,768 tasks.
const SETS: usize = 4096;
const WAYS: usize = 8;

/// Tasks by their ids, in room that never grows.
///
/// Ids are used again. The kernel side counts each task's visits from 1, so
/// that a count which is not above the last one seen is another task's.
pub struct Tasks {
    places: Box<[Option<Remembered>]>,
    clock: u64,
}

#[derive(Clone, Copy)]
struct Remembered {
    pid: i32,
    visits: u64,
    used: u64,
    is_waiting: bool,
    task: Task,
}

/// What was found of a task.
pub struct Found<'a> {
    pub task: &'a mut Task,
    pub is_new: bool,
    /// Whether another had to be forgotten for it.
    pub has_evicted: bool,
}

impl Tasks {
    pub fn new() -> Self {
        Self {
            places: vec![None; SETS * WAYS].into(),
            clock: 0,
        }
    }

    /// The task with this id that makes its `visits`th visit, which waits from
    /// now on; `new` makes one that is not remembered. Of a full set the one
    /// that was seen the longest time ago makes room, one that waits last.
    pub fn visit(&mut self, pid: i32, visits: u64, new: impl FnOnce() -> Task) -> Found<'_> {
        self.clock += 1;
        let used = self.clock;
        let set = self.set_mut(pid);
        let own = set
            .iter()
            .position(|place| place.is_some_and(|at| at.pid == pid));
        let place = own.unwrap_or_else(|| {
            let age = |place: &Option<Remembered>| place.map(|at| (at.is_waiting, at.used));
            let oldest = (0..WAYS).min_by_key(|&way| age(&set[way]));
            oldest.unwrap_or(0)
        });
        let place = &mut set[place];
        let has_evicted = own.is_none() && place.is_some();
        let known = place.filter(|at| at.pid == pid && at.visits < visits);
        let is_new = known.is_none();
        let at = place.insert(Remembered {
            pid,
            visits,
            used,
            is_waiting: true,
            task: known.map_or_else(new, |at| at.task),
        });
        Found {
            task: &mut at.task,
            is_new,
            has_evicted,
        }
    }

    /// Whether a task still waits for the turn it asked for with its
    /// `visits`th visit, and not for a later one; it waits no longer. One that
    /// is not remembered does.
    pub fn leave(&mut self, pid: i32, visits: u64) -> bool {
        let set = self.set_mut(pid);
        let Some(at) = set.iter_mut().flatten().find(|at| at.pid == pid) else {
            return true;
        };
        let is_current = at.visits == visits;
        if is_current {
            at.is_waiting = false;
        }
        is_current
    }

    /// Takes back that a task waits no longer.
    pub fn stay(&mut self, pid: i32) {
        let set = self.set_mut(pid);
        if let Some(at) = set.iter_mut().flatten().find(|at| at.pid == pid) {
            at.is_waiting = true;
        }
    }

    fn set_mut(&mut self, pid: i32) -> &mut [Option<Remembered>] {
        let set = pid as usize % SETS;
        &mut self.places[set * WAYS..(set + 1) * WAYS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Visit;

    fn task() -> Task {
        Task::new(&Visit {
            now_ns: 5,
            burst_ns: 0,
            off_cpu_ns: None,
        })
    }

    #[test]
    fn a_task_is_the_same_as_long_as_its_visits_count_on() {
        let mut tasks = Tasks::new();
        tasks.visit(7, 1, task).task.told_ns = Some(9);
        let again = tasks.visit(7, 2, task);
        assert_eq!((again.is_new, again.task.told_ns), (false, Some(9)));
    }

    #[test]
    fn an_id_used_again_is_another_task() {
        let mut tasks = Tasks::new();
        for visits in 1..4 {
            tasks.visit(7, visits, task).task.told_ns = Some(9);
        }
        for visits in [1, 1] {
            let other = tasks.visit(7, visits, task);
            assert_eq!((other.is_new, other.task.told_ns), (true, None));
            assert!(!other.has_evicted);
        }
    }

    #[test]
    fn the_least_recent_makes_room_and_those_that_wait_last() {
        let mut tasks = Tasks::new();
        let pid = |number: usize| (3 + number * SETS) as i32;
        for number in 0..WAYS {
            tasks.visit(pid(number), 1, task);
        }
        // The first still waits; of the others the second is the oldest.
        for number in 1..WAYS {
            assert!(tasks.leave(pid(number), 1));
        }
        assert!(tasks.visit(pid(WAYS), 1, task).has_evicted);
        assert!(!tasks.visit(pid(0), 2, task).is_new);
        assert!(tasks.visit(pid(1), 2, task).is_new);
    }

    #[test]
    fn an_older_request_is_not_served() {
        let mut tasks = Tasks::new();
        tasks.visit(7, 1, task);
        tasks.visit(7, 2, task);
        assert!(!tasks.leave(7, 1));
        assert!(tasks.leave(7, 2));
        assert!(tasks.leave(8, 1));
    }
}
