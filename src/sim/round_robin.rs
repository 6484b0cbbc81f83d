// SPDX-License-Identifier: GPL-2.0-only
//! Round robin: everybody in turn for a quantum.

use super::discipline::{Discipline, Standing};

/// Round robin; the key is when one joined the end of the queue.
///
/// An arrival joins it before a job whose quantum ends at the same moment.
#[derive(Clone, Copy, Debug)]
pub struct RoundRobin {
    quantum_ns: u64,
    /// How often anybody has joined.
    joined: u64,
}

impl RoundRobin {
    /// With a quantum in nanoseconds of service; 0 counts as 1.
    pub fn new(quantum_ns: u64) -> Self {
        Self {
            quantum_ns,
            joined: 0,
        }
    }
}

impl Discipline for RoundRobin {
    type Key = u64;

    fn arrived(&mut self, _at: &Standing) -> u64 {
        self.joined += 1;
        self.joined
    }

    fn turn_ns(&mut self, _at: &Standing) -> u64 {
        self.quantum_ns
    }

    fn gives_way(&self, _running: u64, _waiting: u64) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::test::{finishes, job, slices};

    #[test]
    fn everybody_has_a_quantum_in_turn() {
        let jobs = [job(0, 5), job(1, 3), job(1, 1)];
        // 0-2 A, 2-4 B, 4-5 C, 5-7 A, 7-8 B, 8-9 A
        assert_eq!(finishes(&mut RoundRobin::new(2), &jobs, 1), [9, 8, 5]);
    }

    #[test]
    fn an_arrival_is_before_one_whose_quantum_ends() {
        let jobs = [job(0, 4), job(2, 2)];
        assert_eq!(finishes(&mut RoundRobin::new(2), &jobs, 1), [6, 4]);
    }

    #[test]
    fn who_is_alone_is_not_switched_out() {
        let slices = slices(&mut RoundRobin::new(1), &[job(0, 100), job(0, 50)], 2);
        assert_eq!(slices.len(), 2);
    }
}
