// SPDX-License-Identifier: GPL-2.0-only
//! First in, first out: no job gives way to another.

use super::discipline::{Discipline, Standing};

/// First in, first out, without preemption; the key is the place in the order
/// of arrivals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fifo;

impl Discipline for Fifo {
    type Key = usize;

    fn arrived(&mut self, at: &Standing) -> usize {
        at.order
    }

    fn gives_way(&self, _running: usize, _waiting: usize) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::test::{finishes, job};

    #[test]
    fn nobody_overtakes() {
        let jobs = [job(0, 10), job(1, 1), job(2, 5)];
        assert_eq!(finishes(&mut Fifo, &jobs, 1), [10, 11, 16]);
        assert_eq!(finishes(&mut Fifo, &jobs, 2), [10, 2, 7]);
    }
}
