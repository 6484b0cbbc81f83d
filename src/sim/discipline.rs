// SPDX-License-Identifier: GPL-2.0-only
//! What a scheduling policy has to say to be simulated.
//!
//! Queueing theory's word is used for it, because policy is what the
//! [policy table](crate::policy) says.

use super::Job;
use crate::invocation::Invocation;

/// A job at the moment the discipline is asked about it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub job: &'a Job,
    /// The job's place in the order of arrivals.
    pub order: usize,
    /// CPU time it has had.
    pub attained_ns: u64,
    pub now_ns: u64,
}

impl Standing<'_> {
    /// CPU time it needs yet. A discipline that looks is clairvoyant.
    pub fn remaining_ns(&self) -> u64 {
        self.job.cpu_ns.saturating_sub(self.attained_ns)
    }
}

/// What becomes of a job whose turn is over.
pub enum Next<K> {
    /// It goes on with this key unless a waiting job's is smaller.
    Contend(K),
    /// It goes on with this key, and gives way only as any running job does.
    GoOn(K),
}

/// An order of jobs, and when it is looked at.
///
/// Every job has a key; the smallest run, one on each CPU, and among equal
/// keys the earlier arrival goes first. A waiting job's key stays as it was
/// when it began to wait. A running job's may age with the time it runs; all
/// do so at the same speed, so that an *anchored* key, which does not change,
/// orders them at all times.
///
/// A discipline must be deterministic.
pub trait Discipline {
    /// What jobs are ordered by.
    type Key: Copy + Ord;

    /// Set where a running job's anchored key is the time of its end, so that
    /// the next to end need not be searched for.
    const DUE_IN_ORDER: bool = false;

    /// The key of a job that has just arrived.
    fn arrived(&mut self, at: &Standing) -> Self::Key;

    /// The key of a job that has just lost its CPU to another.
    fn preempted(&mut self, at: &Standing) -> Self::Key {
        self.arrived(at)
    }

    /// The key of a job that is about to run, having waited with the given one.
    fn switched_in(&mut self, _at: &Standing, key: Self::Key) -> Self::Key {
        key
    }

    /// How long a running job goes on before its key is looked at again, in
    /// nanoseconds of service; 0 counts as 1.
    fn turn_ns(&mut self, _at: &Standing) -> u64 {
        u64::MAX
    }

    /// What becomes of a job whose turn is over.
    fn turn_over(&mut self, at: &Standing) -> Next<Self::Key> {
        Next::Contend(self.preempted(at))
    }

    /// The anchored form of a key that begins to age at `from_ns`.
    fn anchored(key: Self::Key, _from_ns: u64) -> Self::Key {
        key
    }

    /// What an anchored key has become by `now_ns`.
    fn aged(anchored: Self::Key, _now_ns: u64) -> Self::Key {
        anchored
    }

    /// Whether a running job gives its CPU up to a waiting one.
    fn gives_way(&self, running: Self::Key, waiting: Self::Key) -> bool {
        waiting < running
    }

    /// When a running job will have aged so far that it gives way to a waiting
    /// one; `None` where that does not happen by ageing.
    fn gives_way_at_ns(&self, _anchored: Self::Key, _waiting: Self::Key) -> Option<u64> {
        None
    }

    /// Takes notice of CPU time that was spent.
    fn served(&mut self, _cpu_ns: u64) {}

    /// Takes notice of a job that is done.
    fn finished(&mut self, _invocation: &Invocation) {}
}
