// SPDX-License-Identifier: GPL-2.0-only
//! What has become of a function's requests.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times above an hour count as an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Served,
    /// The function failed, by crash, by error or by too long an answer.
    Failed,
    TimedOut,
    /// It was turned away.
    Refused,
    /// Its client went away.
    Abandoned,
}

/// Counts since the worker's start.
pub struct Stats {
    served: u64,
    failed: u64,
    timed_out: u64,
    refused: u64,
    abandoned: u64,
    cpu_us: u64,
    response_us: Histogram<u64>,
}

/// The same, as `/stats` shows it.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub running: usize,
    pub queued: usize,
    served: u64,
    failed: u64,
    timed_out: u64,
    refused: u64,
    abandoned: u64,
    /// CPU time of its processes that have ended.
    cpu_us: u64,
    response_us: Responses,
}

/// Of the requests served, from arrival to answer, within 1 %.
#[derive(Debug, Serialize)]
struct Responses {
    mean: f64,
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
}

impl Stats {
    pub fn new() -> Self {
        let response_us = Histogram::new_with_max(LONGEST_US, 2);
        Self {
            served: 0,
            failed: 0,
            timed_out: 0,
            refused: 0,
            abandoned: 0,
            cpu_us: 0,
            response_us: response_us.expect("bounds and precision are within its range"),
        }
    }

    pub fn count(&mut self, fate: Fate, response_us: u64) {
        match fate {
            Fate::Served => {
                self.served += 1;
                self.response_us.saturating_record(response_us);
            }
            Fate::Failed => self.failed += 1,
            Fate::TimedOut => self.timed_out += 1,
            Fate::Refused => self.refused += 1,
            Fate::Abandoned => self.abandoned += 1,
        }
    }

    pub fn add_cpu_ns(&mut self, cpu_ns: u64) {
        self.cpu_us = self.cpu_us.saturating_add(cpu_ns / 1000);
    }

    pub fn show(&self, running: usize, queued: usize) -> Shown {
        let quantile = |q| self.response_us.value_at_quantile(q);
        Shown {
            running,
            queued,
            served: self.served,
            failed: self.failed,
            timed_out: self.timed_out,
            refused: self.refused,
            abandoned: self.abandoned,
            cpu_us: self.cpu_us,
            response_us: Responses {
                mean: self.response_us.mean(),
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                max: self.response_us.max(),
            },
        }
    }
}
