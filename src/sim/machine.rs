// SPDX-License-Identifier: GPL-2.0-only
//! The simulated machine: CPUs that run one job each, by a discipline.
//!
//! Driven by events, never by ticks: arrivals, ends of jobs and turns, and
//! moments at which a running job has aged past a waiting one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::discipline::{Discipline, Next, Standing};
use super::job::{Job, Outcome, Slice, arrivals};
use crate::invocation::Invocation;

/// What jobs run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// 0 counts as 1.
    pub cpus: usize,
    /// What it costs a CPU to begin another job; no job advances meanwhile.
    pub switch_cost_ns: u64,
}

impl Machine {
    /// So many CPUs that switch at no cost.
    pub fn ideal(cpus: usize) -> Self {
        Self {
            cpus,
            switch_cost_ns: 0,
        }
    }
}

/// Runs `jobs`, in any order, by `discipline` on `machine`.
///
/// The outcomes come in the order of the input. `on_slice` sees every slice,
/// in the order of their ends; the cost of switching is part of the slice it
/// begins. A job without CPU time finishes as it arrives, without a slice.
///
/// With `n` jobs and turns altogether the cost is `O(n log n)`, and one look
/// at the running jobs for each.
///
/// Simulated time ends at `u64::MAX`: a job that would need longer is cut off
/// there.
pub fn run<D: Discipline>(
    discipline: &mut D,
    jobs: &[Job],
    machine: Machine,
    on_slice: impl FnMut(Slice),
) -> Vec<Outcome> {
    let mut simulation = Simulation {
        discipline,
        jobs,
        cpus: machine.cpus.max(1),
        switch_cost_ns: machine.switch_cost_ns,
        on_slice,
        arrivals: arrivals(jobs),
        admitted: 0,
        now_ns: 0,
        waiting: BinaryHeap::new(),
        running: VecDeque::new(),
        over: Vec::new(),
        off: Vec::new(),
        attained_ns: vec![0; jobs.len()],
        outcomes: vec![Outcome::pending(); jobs.len()],
    };
    while let Some(now_ns) = simulation.next_event_ns() {
        simulation.now_ns = now_ns;
        simulation.end_turns(now_ns);
        simulation.admit(now_ns);
        simulation.contend(now_ns);
        simulation.fill(now_ns);
        simulation.give_way(now_ns);
        simulation.end_slices(now_ns);
    }
    simulation.outcomes
}

/// A job's place in the order of arrivals.
type Order = usize;

/// A job on a CPU.
#[derive(Clone, Copy)]
struct Running<K> {
    /// Anchored.
    key: K,
    order: Order,
    /// Where its slice began.
    start_ns: u64,
    /// From when on it has advanced since its attained service was noted.
    from_ns: u64,
    /// The end of the job or of its turn.
    due_ns: u64,
}

struct Simulation<'a, D: Discipline, V> {
    discipline: &'a mut D,
    jobs: &'a [Job],
    cpus: usize,
    switch_cost_ns: u64,
    on_slice: V,
    /// Arrival and index of every job, in the order of arrivals.
    arrivals: Vec<(u64, usize)>,
    admitted: usize,
    /// The last event's.
    now_ns: u64,
    /// The jobs without a CPU, smallest key first.
    waiting: BinaryHeap<Reverse<(D::Key, Order)>>,
    /// The jobs with a CPU, largest anchored key first.
    running: VecDeque<Running<D::Key>>,
    /// Jobs whose turn ends now.
    over: Vec<Running<D::Key>>,
    /// Jobs that have lost their CPU now, and may yet get it back before time
    /// goes on: then their slice goes on too.
    off: Vec<Running<D::Key>>,
    /// As far as noted.
    attained_ns: Vec<u64>,
    outcomes: Vec<Outcome>,
}

impl<'a, D: Discipline, V: FnMut(Slice)> Simulation<'a, D, V> {
    /// The next moment at which anything may change; `None` when all is done,
    /// since no job waits while a CPU is free.
    fn next_event_ns(&self) -> Option<u64> {
        let arrival = self.arrivals.get(self.admitted).map(|&(at, _)| at);
        let due = if D::DUE_IN_ORDER {
            self.running.back().map(|running| running.due_ns)
        } else {
            self.running.iter().map(|running| running.due_ns).min()
        };
        let gives_way = match (self.running.front(), self.waiting.peek()) {
            (Some(worst), Some(Reverse((key, _)))) => {
                self.discipline.gives_way_at_ns(worst.key, *key)
            }
            _ => None,
        };
        // What has not happened when it was due, at the end of time, never will.
        let gives_way = gives_way.filter(|&at| at > self.now_ns);
        [arrival, due, gives_way].into_iter().flatten().min()
    }

    /// Takes those off their CPUs whose job or turn ends.
    fn end_turns(&mut self, now_ns: u64) {
        for place in (0..self.running.len()).rev() {
            if self.running[place].due_ns > now_ns {
                if D::DUE_IN_ORDER {
                    break;
                }
                continue;
            }
            let Some(running) = self.running.remove(place) else {
                continue;
            };
            self.note_service(&running, now_ns);
            let (_, index) = self.arrivals[running.order];
            let left = self.attained_ns[running.order] < self.jobs[index].cpu_ns;
            if left && now_ns < u64::MAX {
                self.over.push(running);
            } else {
                self.finish(&running, now_ns);
            }
        }
    }

    fn finish(&mut self, running: &Running<D::Key>, now_ns: u64) {
        self.end_slice(running, now_ns);
        let (_, index) = self.arrivals[running.order];
        let (job, outcome) = (&self.jobs[index], &mut self.outcomes[index]);
        outcome.finish_ns = now_ns;
        self.discipline.finished(&Invocation {
            function: job.function,
            arrival_ns: job.arrival_ns,
            first_run_ns: outcome.first_run_ns,
            end_ns: now_ns,
            cpu_ns: job.cpu_ns,
            switches: outcome.switches,
        });
    }

    fn admit(&mut self, now_ns: u64) {
        while let Some(&(arrival_ns, index)) = self.arrivals.get(self.admitted) {
            if arrival_ns > now_ns {
                break;
            }
            let order = self.admitted;
            self.admitted += 1;
            if self.jobs[index].cpu_ns == 0 {
                self.outcomes[index] = Outcome::immediate(&self.jobs[index]);
                continue;
            }
            let at = standing(self.jobs, index, order, 0, now_ns);
            let key = self.discipline.arrived(&at);
            self.waiting.push(Reverse((key, order)));
        }
    }

    /// Lets those whose turn is over go on or wait.
    fn contend(&mut self, now_ns: u64) {
        let mut over = std::mem::take(&mut self.over);
        for running in over.drain(..) {
            let at = self.standing(running.order, now_ns);
            let (key, goes_on) = match self.discipline.turn_over(&at) {
                Next::GoOn(key) => (key, true),
                Next::Contend(key) => {
                    let head = self.waiting.peek();
                    (key, head.is_none_or(|Reverse((head, _))| *head >= key))
                }
            };
            if goes_on {
                self.go_on(running, key, now_ns);
            } else {
                self.waiting.push(Reverse((key, running.order)));
                self.off.push(running);
            }
        }
        self.over = over;
    }

    /// Gives the free CPUs to the first of the waiting.
    fn fill(&mut self, now_ns: u64) {
        while self.running.len() < self.cpus {
            let Some(Reverse((key, order))) = self.waiting.pop() else {
                break;
            };
            self.switch_in(order, key, now_ns);
        }
    }

    /// Has the worst of the running give way as long as they must.
    fn give_way(&mut self, now_ns: u64) {
        while let (Some(worst), Some(Reverse((key, order)))) =
            (self.running.front(), self.waiting.peek())
        {
            let (key, order) = (*key, *order);
            // A job does not age before it advances.
            let running = D::aged(worst.key, now_ns.max(worst.from_ns));
            if !self.discipline.gives_way(running, key) {
                break;
            }
            self.waiting.pop();
            if let Some(worst) = self.running.pop_front() {
                self.note_service(&worst, now_ns);
                let at = self.standing(worst.order, now_ns);
                let key = self.discipline.preempted(&at);
                self.waiting.push(Reverse((key, worst.order)));
                self.off.push(worst);
            }
            self.switch_in(order, key, now_ns);
        }
    }

    /// Ends the slices of those that are off their CPUs for good.
    fn end_slices(&mut self, now_ns: u64) {
        let mut off = std::mem::take(&mut self.off);
        off.drain(..)
            .for_each(|running| self.end_slice(&running, now_ns));
        self.off = off;
    }

    fn switch_in(&mut self, order: Order, key: D::Key, now_ns: u64) {
        if let Some(place) = self.off.iter().position(|off| off.order == order) {
            let running = self.off.swap_remove(place);
            self.go_on(running, key, now_ns);
            return;
        }
        let at = self.standing(order, now_ns);
        let key = self.discipline.switched_in(&at, key);
        let from_ns = now_ns.saturating_add(self.switch_cost_ns);
        self.put_on_cpu(order, key, now_ns, from_ns, now_ns);
    }

    fn go_on(&mut self, running: Running<D::Key>, key: D::Key, now_ns: u64) {
        let from_ns = running.from_ns.max(now_ns);
        self.put_on_cpu(running.order, key, running.start_ns, from_ns, now_ns);
    }

    fn put_on_cpu(&mut self, order: Order, key: D::Key, start_ns: u64, from_ns: u64, now_ns: u64) {
        let at = self.standing(order, now_ns);
        let remaining_ns = at.remaining_ns();
        let turn_ns = self.discipline.turn_ns(&at).max(1).min(remaining_ns);
        let running = Running {
            key: D::anchored(key, from_ns),
            order,
            start_ns,
            from_ns,
            due_ns: from_ns.saturating_add(turn_ns),
        };
        let place = self
            .running
            .partition_point(|other| (other.key, other.order) > (running.key, order));
        self.running.insert(place, running);
    }

    fn note_service(&mut self, running: &Running<D::Key>, now_ns: u64) {
        let ran_ns = now_ns.saturating_sub(running.from_ns);
        self.attained_ns[running.order] += ran_ns;
        self.discipline.served(ran_ns);
    }

    /// Ends a slice that is none if it is as long as no time.
    fn end_slice(&mut self, running: &Running<D::Key>, now_ns: u64) {
        let start_ns = running.start_ns;
        if start_ns >= now_ns {
            return;
        }
        let (_, index) = self.arrivals[running.order];
        let outcome = &mut self.outcomes[index];
        outcome.first_run_ns = start_ns.min(outcome.first_run_ns);
        outcome.switches = outcome.switches.saturating_add(1);
        (self.on_slice)(Slice {
            job: index,
            function: self.jobs[index].function,
            start_ns,
            end_ns: now_ns,
        });
    }

    fn standing(&self, order: Order, now_ns: u64) -> Standing<'a> {
        let (_, index) = self.arrivals[order];
        standing(self.jobs, index, order, self.attained_ns[order], now_ns)
    }
}

fn standing(
    jobs: &[Job],
    index: usize,
    order: Order,
    attained_ns: u64,
    now_ns: u64,
) -> Standing<'_> {
    Standing {
        job: &jobs[index],
        order,
        attained_ns,
        now_ns,
    }
}
