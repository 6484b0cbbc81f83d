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
