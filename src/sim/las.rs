// SPDX-License-Identifier: GPL-2.0-only
//! Least attained service first (foreground-background): the jobs that have
//! had the least run, and those that have had the same share the CPUs there
//! are for them equally.
//!
//! It needs to know nothing of the jobs, and is optimal in the M/G/1 where the
//! hazard rate decreases (Righter and Shanthikumar, 1989).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clock::Clock;
use super::job::{Job, Outcome, arrivals};

/// Replays `jobs`, in any order, under least attained service first on `cpus`
/// CPUs (0 counts as 1) that switch at no cost.
///
/// The outcomes come in the order of the input. Sharing is exact: of many
/// slices only the limit, so there are none, and no switches. The cost is
/// `O(n log² n)` and a look at the jobs served for each event. Times are exact
/// to a nanosecond or so.
pub fn replay(jobs: &[Job], cpus: usize) -> Vec<Outcome> {
    let mut sharing = Sharing {
        jobs,
        cpus: cpus.max(1) as f64,
        clock: Clock::default(),
        levels: Vec::new(),
        outcomes: vec![Outcome::pending(); jobs.len()],
    };
    for (arrival_ns, index) in arrivals(jobs) {
        sharing.run_until(arrival_ns);
        sharing.admit(index);
    }
    sharing.run_until(u64::MAX);
    sharing.outcomes
}

/// The jobs that have had the same.
struct Level {
    attained_ns: f64,
    /// CPU time and index, the shortest first.
    jobs: BinaryHeap<Reverse<(u64, usize)>>,
}

struct Sharing<'a> {
    jobs: &'a [Job],
    cpus: f64,
    clock: Clock,
    /// The least attained last.
    levels: Vec<Level>,
    outcomes: Vec<Outcome>,
}

/// What happens next, to the level of this index.
#[derive(Clone, Copy)]
enum Event {
    Finish(usize),
    /// It has caught up with the level before it.
    Merge(usize),
}

impl Sharing<'_> {
    fn admit(&mut self, index: usize) {
        let job = self.jobs[index];
        if job.cpu_ns == 0 {
            self.outcomes[index] = Outcome::immediate(&job);
            return;
        }
        if self.levels.is_empty() {
            self.clock = Clock::starting(job.arrival_ns);
        }
        self.outcomes[index].first_run_ns = job.arrival_ns;
        let entry = Reverse((job.cpu_ns, index));
        match self.levels.last_mut() {
            Some(level) if level.attained_ns == 0.0 => level.jobs.push(entry),
            _ => self.levels.push(Level {
                attained_ns: 0.0,
                jobs: BinaryHeap::from([entry]),
            }),
        }
    }

    fn run_until(&mut self, until_ns: u64) {
        while let Some((after_ns, event)) = self.next_event() {
            let left_ns = self.clock.until(until_ns);
            if after_ns > left_ns {
                self.serve(left_ns);
                return;
            }
            self.serve(after_ns);
            match event {
                Event::Finish(level) => self.finish(level),
                Event::Merge(level) => self.merge(level),
            }
        }
    }

    /// The levels that are served, least attained first, and the speed of
    /// each job in them.
    fn speeds(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let mut cpus = self.cpus;
        let levels = self.levels.iter().enumerate().rev();
        levels.map_while(move |(index, level)| {
            let count = level.jobs.len() as f64;
            let share = cpus.min(count);
            cpus -= share;
            (share > 0.0).then_some((index, share / count))
        })
    }

    fn next_event(&self) -> Option<(f64, Event)> {
        let mut next: Option<(f64, Event)> = None;
        let mut sooner = |after_ns: f64, event| {
            if next.is_none_or(|(other_ns, _)| after_ns < other_ns) {
                next = Some((after_ns, event));
            }
        };
        let mut speeds = self.speeds().peekable();
        while let Some((index, speed)) = speeds.next() {
            let level = &self.levels[index];
            if let Some(Reverse((cpu_ns, _))) = level.jobs.peek() {
                let left_ns = (*cpu_ns as f64 - level.attained_ns).max(0.0);
                sooner(left_ns / speed, Event::Finish(index));
            }
            let before = speeds.peek().map_or(0.0, |&(_, speed)| speed);
            if index > 0 && speed > before {
                let gap_ns = self.levels[index - 1].attained_ns - level.attained_ns;
                sooner(gap_ns.max(0.0) / (speed - before), Event::Merge(index));
            }
        }
        next
    }

    fn serve(&mut self, for_ns: f64) {
        let speeds: Vec<_> = self.speeds().collect();
        for (index, speed) in speeds {
            self.levels[index].attained_ns += for_ns * speed;
        }
        self.clock.advance(for_ns);
    }

    /// Ends the shortest job of a level, and all that are as short.
    fn finish(&mut self, index: usize) {
        let level = &mut self.levels[index];
        let Some(&Reverse((shortest_ns, _))) = level.jobs.peek() else {
            return;
        };
        while let Some(&Reverse((cpu_ns, job))) = level.jobs.peek() {
            if cpu_ns > shortest_ns {
                break;
            }
            level.jobs.pop();
            // Rounding must not let a job end before it can.
            let earliest_ns = self.jobs[job].arrival_ns.saturating_add(cpu_ns);
            self.outcomes[job].finish_ns = self.clock.now_ns().max(earliest_ns);
        }
        level.attained_ns = shortest_ns as f64;
        if level.jobs.is_empty() {
            self.levels.remove(index);
        }
    }

    fn merge(&mut self, index: usize) {
        let mut level = self.levels.remove(index);
        if let Some(before) = self.levels.get_mut(index - 1) {
            before.jobs.append(&mut level.jobs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::test::job;

    fn finishes(jobs: &[Job], cpus: usize) -> Vec<u64> {
        let outcomes = replay(jobs, cpus);
        outcomes.iter().map(|outcome| outcome.finish_ns).collect()
    }

    #[test]
    fn newcomers_run_until_they_have_had_as_much() {
        // B alone from 40 to 80, then both at half speed.
        assert_eq!(finishes(&[job(0, 60), job(40, 50)], 1), [110, 100]);
    }

    #[test]
    fn equals_share_and_end_together() {
        assert_eq!(finishes(&[job(0, 30), job(0, 30), job(0, 30)], 1), [90; 3]);
        assert_eq!(finishes(&[job(0, 30), job(0, 30), job(0, 30)], 2), [45; 3]);
    }

    #[test]
    fn a_job_has_one_cpu_at_most() {
        assert_eq!(finishes(&[job(0, 100), job(10, 5)], 4), [100, 15]);
    }

    #[test]
    fn with_cpus_left_the_next_level_is_served_too() {
        // Two newcomers on two CPUs keep the first out until they have had 10;
        // then 3 jobs share 2 CPUs.
        let jobs = [job(0, 20), job(10, 20), job(10, 20)];
        assert_eq!(finishes(&jobs, 2), [35, 35, 35]);
    }

    #[test]
    fn absurd_numbers_end_somewhere() {
        let jobs = [
            job(0, u64::MAX),
            job(u64::MAX, u64::MAX),
            job(u64::MAX - 1, 1),
            job(3, 0),
        ];
        assert_eq!(replay(&jobs, 1).len(), 4);
        assert!(replay(&[], 3).is_empty());
    }
}
