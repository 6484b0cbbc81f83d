// SPDX-License-Identifier: GPL-2.0-only
//! Shortest job first: clairvoyant, but what runs runs to its end.

use super::discipline::{Discipline, Standing};

/// Shortest job first, without preemption; the key is the CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sjf;

impl Discipline for Sjf {
    type Key = u64;

    fn arrived(&mut self, at: &Standing) -> u64 {
        at.job.cpu_ns
    }

    fn gives_way(&self, _running: u64, _waiting: u64) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::test::{finishes, job};

    #[test]
    fn the_shortest_goes_next_and_interrupts_nobody() {
        let jobs = [job(0, 10), job(1, 5), job(2, 1)];
        assert_eq!(finishes(&mut Sjf, &jobs, 1), [10, 16, 11]);
    }
}
