// SPDX-License-Identifier: GPL-2.0-only
//! A synthetic trace in the making: what is asked for, but not yet when.

use std::time::Duration;

use rand::Rng;

use super::super::{MAX_REQUESTS, Request, Trace};
use super::arrivals::Arrivals;
use super::error::SynthError;
use super::{NS_PER_US, whole_us};

/// Nanoseconds of CPU time a second asks for, at `load` to `cpus` CPUs, and
/// how many requests of `mean_ns` that makes in `duration`.
///
/// # Errors
/// When the numbers give no trace, or one too long to hold.
pub fn size(
    load: f64,
    cpus: u32,
    duration: Duration,
    mean_ns: f64,
) -> Result<(f64, f64), SynthError> {
    if cpus == 0 {
        return Err(SynthError::NoCpu);
    }
    if !(load.is_finite() && load > 0.0) {
        return Err(SynthError::Load(load));
    }
    let capacity = load * f64::from(cpus);
    let requests = capacity * duration.as_nanos() as f64 / mean_ns;
    if requests > MAX_REQUESTS as f64 {
        return Err(SynthError::TooLong(requests));
    }
    Ok((capacity, requests))
}

/// Requests without arrivals.
#[derive(Debug, Default)]
pub struct Plan {
    functions: Vec<String>,
    batches: Vec<Batch>,
}

/// What is asked for of one function.
#[derive(Debug)]
struct Batch {
    function: u32,
    cpu_ns: Vec<u64>,
    arrivals: Arrivals,
}

impl Plan {
    /// Adds a function whose requests take these CPU times, in nanoseconds.
    pub fn add(&mut self, name: String, arrivals: Arrivals, cpu_ns: impl Iterator<Item = f64>) {
        let shortest = NS_PER_US as u64;
        self.batches.push(Batch {
            function: self.functions.len() as u32,
            cpu_ns: cpu_ns.map(|ns| whole_us(ns).max(shortest)).collect(),
            arrivals,
        });
        self.functions.push(name);
    }

    /// The trace, as long as makes it ask for exactly `capacity` nanoseconds
    /// of CPU time a nanosecond.
    pub fn trace(self, capacity: f64, rng: &mut impl Rng) -> Trace {
        let cpu_ns: u64 = self.batches.iter().flat_map(|batch| &batch.cpu_ns).sum();
        let duration_ns = cpu_ns as f64 / capacity;
        let mut requests = Vec::new();
        for batch in self.batches {
            let count = batch.cpu_ns.len();
            let arrivals = batch.arrivals.place(count, duration_ns, rng);
            requests.extend(
                arrivals
                    .into_iter()
                    .zip(batch.cpu_ns)
                    .map(|(arrival_ns, cpu_ns)| Request {
                        arrival_ns,
                        function: batch.function,
                        cpu_ns,
                    }),
            );
        }
        // Stable, so that equal arrivals keep one order everywhere.
        requests.sort_by_key(|r| r.arrival_ns);
        Trace {
            functions: self.functions,
            requests,
            duration_ns: duration_ns.round() as u64,
        }
    }
}
