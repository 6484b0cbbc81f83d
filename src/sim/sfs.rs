// SPDX-License-Identifier: GPL-2.0-only
//! SFS (Fu, Liu, Wang, Cheng and Chen, "SFS: Smart OS Scheduling for
//! Serverless Functions", SC 2022): first in, first out for one slice, and
//! what has not ended by then is left to a fair scheduler.
//!
//! - The front queue is served at a real-time priority: whoever is in its
//!   slice goes before all that are shared fairly.
//! - The slice is the mean time between the last 100 arrivals, times the
//!   CPUs, and is set anew after each 100.
//! - A job that comes to its turn later than three slices after its arrival
//!   finds the machine overloaded, and goes to the fair scheduler at once.
//!
//! The window and the factor are the published ones; until 100 jobs have
//! arrived the slice is the 20 ms its code begins with.

use super::discipline::{Discipline, Next, Standing};
use super::fair::{FAIR_TURN_NS, Fair};

const WINDOW: u64 = 100;
const OVERLOAD: u64 = 3;
const FIRST_SLICE_NS: u64 = 20_000_000;

/// SFS, without its handling of I/O: invocations here do none.
#[derive(Debug)]
pub struct Sfs {
    cpus: u64,
    slice_ns: u64,
    /// Arrivals since the slice was set.
    arrivals: u64,
    /// When it was set.
    since_ns: u64,
    fair: Fair,
    /// By order of arrival: where a job is.
    places: Vec<Place>,
}

/// Where a job is, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Not past its slice yet.
    Front,
    /// With the fair scheduler.
    Fair,
}

impl Sfs {
    /// On so many CPUs.
    pub fn new(cpus: usize) -> Self {
        Self {
            cpus: cpus.max(1) as u64,
            slice_ns: FIRST_SLICE_NS,
            arrivals: 0,
            since_ns: 0,
            fair: Fair::default(),
            places: Vec::new(),
        }
    }

    fn note_arrival(&mut self, now_ns: u64) {
        self.arrivals += 1;
        if self.arrivals == WINDOW {
            let mean_ns = (now_ns - self.since_ns) / WINDOW;
            self.slice_ns = mean_ns.saturating_mul(self.cpus).max(1);
            self.arrivals = 0;
            self.since_ns = now_ns;
        }
    }

    fn join_fair(&mut self, at: &Standing) -> (Place, u64) {
        self.places[at.order] = Place::Fair;
        (Place::Fair, self.fair.joined(at))
    }
}

impl Discipline for Sfs {
    /// The front queue first, by arrival; then the fair share, by vruntime.
    type Key = (Place, u64);

    fn arrived(&mut self, at: &Standing) -> Self::Key {
        self.note_arrival(at.now_ns);
        self.places.resize(at.order + 1, Place::Front);
        (Place::Front, at.order as u64)
    }

    /// Only what is shared fairly is ever preempted.
    fn preempted(&mut self, at: &Standing) -> Self::Key {
        (Place::Fair, self.fair.vruntime_ns(at))
    }

    fn switched_in(&mut self, at: &Standing, waited_with: Self::Key) -> Self::Key {
        if self.places[at.order] == Place::Fair {
            self.fair.served_next(waited_with.1);
            return waited_with;
        }
        let waited_ns = at.now_ns.saturating_sub(at.job.arrival_ns);
        if waited_ns > self.slice_ns.saturating_mul(OVERLOAD) {
            return self.join_fair(at);
        }
        waited_with
    }

    fn turn_ns(&mut self, at: &Standing) -> u64 {
        match self.places[at.order] {
            Place::Front => self.slice_ns,
            Place::Fair => FAIR_TURN_NS,
        }
    }

    fn turn_over(&mut self, at: &Standing) -> Next<Self::Key> {
        Next::Contend(match self.places[at.order] {
            Place::Front => self.join_fair(at),
            Place::Fair => self.preempted(at),
        })
    }

    fn gives_way(&self, running: Self::Key, waiting: Self::Key) -> bool {
        waiting.0 < running.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Job;
    use crate::sim::test::{finishes, job};

    const MS: u64 = 1_000_000;

    fn run(jobs: &[Job], cpus: usize) -> Vec<u64> {
        let finishes = finishes(&mut Sfs::new(cpus), jobs, cpus);
        finishes.iter().map(|ns| ns / MS).collect()
    }

    #[test]
    fn within_its_slice_nobody_is_overtaken() {
        assert_eq!(run(&[job(0, 20 * MS), job(MS, MS)], 1), [20, 21]);
    }

    #[test]
    fn past_its_slice_a_job_gives_way_to_all_that_come() {
        let jobs = [job(0, 50 * MS), job(25 * MS, 5 * MS), job(40 * MS, 5 * MS)];
        assert_eq!(run(&jobs, 1), [60, 30, 45]);
    }

    #[test]
    fn past_their_slices_jobs_share_fairly() {
        // 20 ms each in turn; then 3 ms each in turn.
        let jobs = [job(0, 26 * MS), job(0, 26 * MS)];
        assert_eq!(run(&jobs, 1), [49, 52]);
    }

    #[test]
    fn the_slice_follows_the_arrivals() {
        let mut sfs = Sfs::new(4);
        let arrivals: Vec<Job> = (1..=100).map(|index| job(index * MS, 1)).collect();
        finishes(&mut sfs, &arrivals, 4);
        assert_eq!(sfs.slice_ns, 4 * MS);
    }

    #[test]
    fn who_has_waited_too_long_goes_to_the_fair_share() {
        // The fifth comes to its turn after 80 ms, more than three slices.
        let jobs: Vec<Job> = (0..5).map(|_| job(0, 20 * MS)).collect();
        let with_late: Vec<Job> = jobs.into_iter().chain([job(81 * MS, 10 * MS)]).collect();
        let finishes = run(&with_late, 1);
        assert_eq!(&finishes[..4], [20, 40, 60, 80]);
        assert_eq!((finishes[5], finishes[4]), (91, 110));
    }
}
