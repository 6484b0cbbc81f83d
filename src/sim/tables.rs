// SPDX-License-Identifier: GPL-2.0-only
//! Where a simulated discipline has its policy table from.

use crate::invocation::{FunctionId, Invocation};
use crate::learn::{BiasFactor, Learner};
use crate::policy::{PolicyEntry, PolicyTable};

/// Policy tables over simulated time.
#[derive(Debug)]
pub struct Tables(Source);

#[derive(Debug)]
enum Source {
    Fixed(PolicyTable, BiasFactor),
    Learned(Box<Learning>),
}

/// A learner that has a round at every interval of simulated time.
///
/// Of the intervals in which nothing happens only the last has its round: it
/// learns what the others would have.
#[derive(Debug)]
struct Learning {
    learner: Learner,
    interval_ns: u64,
    last_round_ns: u64,
    rounds: u64,
    /// CPU time spent since the last round.
    busy_ns: u64,
}

impl Tables {
    /// One table, for good.
    pub fn fixed(table: PolicyTable) -> Self {
        Self::made_with(table, BiasFactor::default())
    }

    /// One table, for good, whose biases were made with `bias_factor`.
    pub fn made_with(table: PolicyTable, bias_factor: BiasFactor) -> Self {
        Self(Source::Fixed(table, bias_factor))
    }

    /// What `learner` makes of the invocations that finish, published every
    /// `interval_ns` (0 counts as 1), first at time 0.
    pub fn learned(mut learner: Learner, interval_ns: u64) -> Self {
        learner.round(0, 0.0);
        Self(Source::Learned(Box::new(Learning {
            learner,
            interval_ns: interval_ns.max(1),
            last_round_ns: 0,
            rounds: 1,
            busy_ns: 0,
        })))
    }

    /// The entry in force for `function` at `now_ns`; `None` in an empty table.
    pub fn entry(&mut self, function: FunctionId, now_ns: u64) -> Option<&PolicyEntry> {
        self.table(now_ns).get(function)
    }

    /// The table in force at `now_ns`.
    pub fn table(&mut self, now_ns: u64) -> &PolicyTable {
        match &mut self.0 {
            Source::Fixed(table, _) => table,
            Source::Learned(learning) => {
                learning.catch_up(now_ns);
                learning.learner.table()
            }
        }
    }

    /// A number that changes with the table, at `now_ns`.
    pub fn version(&mut self, now_ns: u64) -> u64 {
        match &mut self.0 {
            Source::Fixed(..) => 1,
            Source::Learned(learning) => {
                learning.catch_up(now_ns);
                learning.rounds
            }
        }
    }

    /// `K` in force at `now_ns`.
    pub fn bias_factor(&mut self, now_ns: u64) -> BiasFactor {
        match &mut self.0 {
            Source::Fixed(_, bias_factor) => *bias_factor,
            Source::Learned(learning) => {
                learning.catch_up(now_ns);
                learning.learner.bias_factor()
            }
        }
    }

    pub fn served(&mut self, cpu_ns: u64) {
        if let Source::Learned(learning) = &mut self.0 {
            learning.busy_ns = learning.busy_ns.saturating_add(cpu_ns);
        }
    }

    pub fn finished(&mut self, invocation: &Invocation) {
        if let Source::Learned(learning) = &mut self.0 {
            learning.catch_up(invocation.end_ns);
            learning.learner.observe(invocation);
        }
    }

    /// The same for another simulation, whose time begins at 0: with all that
    /// was learned in this one.
    pub fn begin_anew(self) -> Self {
        match self.0 {
            Source::Fixed(..) => self,
            Source::Learned(learning) => {
                let mut learner = learning.learner;
                learner.begin_anew();
                Self::learned(learner, learning.interval_ns)
            }
        }
    }
}

impl Learning {
    /// Has the last round that was due by `now_ns`.
    fn catch_up(&mut self, now_ns: u64) {
        let due_ns = now_ns - now_ns % self.interval_ns;
        if due_ns <= self.last_round_ns {
            return;
        }
        let capacity_ns =
            (due_ns - self.last_round_ns) as f64 * self.learner.config().cpus.max(1) as f64;
        let utilisation_percent = 100.0 * self.busy_ns as f64 / capacity_ns;
        self.learner.round(due_ns, utilisation_percent.min(100.0));
        self.last_round_ns = due_ns;
        self.rounds += 1;
        self.busy_ns = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Avg, LearnerConfig};

    const SECOND: u64 = 1_000_000_000;

    fn id(slot: u32) -> FunctionId {
        FunctionId::new(slot).unwrap()
    }

    #[test]
    fn what_is_learned_holds_from_the_next_interval_on() {
        let learner = Learner::new(LearnerConfig::default(), Box::new(Avg));
        let mut tables = Tables::learned(learner, SECOND);
        let prior = tables.entry(id(1), 0).unwrap().clone();
        tables.served(SECOND / 4);
        tables.finished(&Invocation {
            function: id(1),
            arrival_ns: 0,
            first_run_ns: 0,
            end_ns: SECOND / 4,
            cpu_ns: SECOND / 4,
            switches: 1,
        });
        assert_eq!(tables.entry(id(1), SECOND - 1), Some(&prior));
        let entry = tables.entry(id(1), SECOND).unwrap();
        assert_eq!((entry.samples, entry.predicted_ns), (1, SECOND / 4));
    }

    #[test]
    fn what_was_learned_lasts_into_another_simulation() {
        let learner = Learner::new(LearnerConfig::default(), Box::new(Avg));
        let mut tables = Tables::learned(learner, SECOND);
        for index in 0..20 {
            let arrival_ns = index * SECOND;
            tables.finished(&Invocation {
                function: id(1),
                arrival_ns,
                first_run_ns: arrival_ns,
                end_ns: arrival_ns + SECOND / 4,
                cpu_ns: SECOND / 4,
                switches: 1,
            });
        }
        let before = tables.entry(id(1), 20 * SECOND).unwrap().clone();
        let mut tables = tables.begin_anew();
        let entry = tables.entry(id(1), 0).unwrap();
        assert_eq!(entry, &before);
        // It has a slice of its own, which only what is replayed can give it.
        assert!(entry.slice_ns > 0);
    }

    #[test]
    fn nothing_is_in_an_empty_table() {
        let mut tables = Tables::fixed(PolicyTable::default());
        assert_eq!(tables.entry(id(1), 5), None);
    }
}
