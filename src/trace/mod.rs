// SPDX-License-Identifier: GPL-2.0-only
//! Traces: which function is asked for when, and how much CPU time that takes.

mod bars;
mod builder;
mod cpu_times;
mod description;
pub mod dispersion;
mod error;
mod fit;
mod minutes;
mod names;
mod number;
pub mod read;
pub mod request;
pub mod scale;
mod source;
pub mod synth;
mod table;
mod window;
pub mod write;

pub use cpu_times::CpuTimes;
pub use description::Description;
pub use error::TraceError;
pub use fit::{Fit, FitError, Fitted};
pub use minutes::{Cell, Counted, MinuteCounts};
pub use read::{Format, Recording, ServiceTimes};
pub use request::Request;
pub use source::Source;
pub use synth::thousand;
pub use window::{MAX_REQUESTS, Window};

use serde::{Deserialize, Serialize};

const NS_PER_S: f64 = 1e9;

/// Requests in the order of their arrival, and the functions they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The functions' names; [`Request::function`] indexes them.
    pub functions: Vec<String>,
    pub requests: Vec<Request>,
    /// The time over which requests arrive.
    pub duration_ns: u64,
}

impl Trace {
    /// The CPU time all requests take together.
    pub fn cpu_ns(&self) -> u64 {
        self.requests
            .iter()
            .fold(0, |sum, request| sum.saturating_add(request.cpu_ns))
    }

    /// The load the trace is to `cpus` CPUs: CPU time asked for over CPU
    /// time there is; 1 is what they can just about bear. 0 for a trace
    /// without duration and for no CPU.
    pub fn load(&self, cpus: u32) -> f64 {
        let capacity_ns = self.duration_ns as f64 * f64::from(cpus);
        if capacity_ns > 0.0 {
            self.cpu_ns() as f64 / capacity_ns
        } else {
            0.0
        }
    }
}
