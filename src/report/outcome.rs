// SPDX-License-Identifier: GPL-2.0-only
//! What became of one request.

use serde::{Deserialize, Serialize};

/// One request that was served, as its client saw it. Times are from the
/// start of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Index into the trace's functions.
    pub function: u32,
    /// When the request was due, whether or not it was launched in time.
    pub arrival_ns: u64,
    pub first_run_ns: u64,
    pub end_ns: u64,
    pub cpu_requested_ns: u64,
    pub cpu_used_ns: u64,
    /// How long it paused of its own accord, as for I/O.
    pub pause_ns: u64,
    /// How often it was switched out.
    pub switches: u64,
}

impl Outcome {
    /// Arrival to end.
    pub fn response_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.arrival_ns)
    }

    /// Arrival to first run.
    pub fn wait_ns(&self) -> u64 {
        self.first_run_ns.saturating_sub(self.arrival_ns)
    }

    /// The response with the machine to itself: CPU time asked for and pauses.
    pub fn alone_ns(&self) -> u64 {
        self.cpu_requested_ns.saturating_add(self.pause_ns)
    }

    /// Response over the response alone.
    pub fn slowdown(&self) -> f64 {
        self.response_ns() as f64 / self.alone_ns().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowdown_is_response_over_response_alone() {
        let mut outcome = Outcome {
            function: 0,
            arrival_ns: 100,
            first_run_ns: 150,
            end_ns: 400,
            cpu_requested_ns: 100,
            cpu_used_ns: 101,
            pause_ns: 0,
            switches: 1,
        };
        assert_eq!(outcome.response_ns(), 300);
        assert_eq!(outcome.wait_ns(), 50);
        assert_eq!(outcome.slowdown(), 3.0);
        outcome.pause_ns = 50;
        assert_eq!(outcome.slowdown(), 2.0);
    }
}
