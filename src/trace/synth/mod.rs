// SPDX-License-Identifier: GPL-2.0-only
//! Synthetic traces, the same on every machine for the same seed.
//!
//! Each is a list of functions that is the same for every seed: how popular
//! they are, how long they run and how they are asked for. The seed decides
//! when requests arrive and how long each takes. `docs/traces.md` has the
//! sources of all figures.

mod arrivals;
mod bimodal;
mod error;
mod heavy;
mod mixed;
mod normal;
mod plan;
mod platform;
mod thousand;

pub use bimodal::bimodal;
pub use error::SynthError;
pub use heavy::heavy;
pub use mixed::mixed;
pub use platform::{azure, huawei};
pub use thousand::thousand;

const NS_PER_US: f64 = 1e3;
const NS_PER_MS: f64 = 1e6;

/// Rounded down to microseconds: the last bits of a transcendental function
/// may differ between machines, the trace must not.
fn whole_us(ns: f64) -> u64 {
    (ns / NS_PER_US) as u64 * NS_PER_US as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Trace;
    use super::*;

    type Make = fn(u64, u32, f64, Duration) -> Result<Trace, SynthError>;

    /// Figures measured with one version must hold for the next.
    #[test]
    fn output_is_pinned() {
        for (make, requests, first, last) in [
            (
                azure as Make,
                744,
                (31_872, "a010", 500),
                (20_120_193, "a024", 231_353),
            ),
            (
                huawei,
                620,
                (114_421, "h014", 11_615),
                (18_693_542, "h003", 47_115),
            ),
            (
                bimodal,
                1117,
                (22_883, "b030-0300ms", 25_110),
                (20_337_731, "b005-0400ms", 5_869),
            ),
            (
                heavy,
                2240,
                (8_196, "p00500us", 1_220),
                (19_511_554, "p00500us", 6_713),
            ),
        ] {
            let trace = make(1, 2, 0.9, Duration::from_secs(20)).unwrap();
            let at = |index: usize| {
                let request = trace.requests[index];
                let name = trace.functions[request.function as usize].as_str();
                (request.arrival_ns / 1000, name, request.cpu_ns / 1000)
            };
            assert_eq!(trace.requests.len(), requests);
            assert_eq!((at(0), at(requests - 1)), (first, last));
        }
    }
}
