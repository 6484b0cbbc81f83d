// SPDX-License-Identifier: GPL-2.0-only
//! Why there is no such trace.

use std::fmt;
use std::time::Duration;

use super::super::MAX_REQUESTS;

/// Why there is no such trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SynthError {
    /// There is no CPU to put a load on.
    NoCpu,
    /// The load is not a positive number.
    Load(f64),
    /// The duration and load give less than one request of each function.
    TooShort(Duration),
    /// The duration and load give this many requests.
    TooLong(f64),
}

impl fmt::Display for SynthError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoCpu => write!(f, "a trace needs at least one CPU"),
            Self::Load(load) => write!(f, "load {load} is no positive number; try 0.9"),
            Self::TooShort(duration) => write!(
                f,
                "{duration:?} at this load is too short for one request of each function; \
                 make it longer"
            ),
            Self::TooLong(requests) => write!(
                f,
                "{requests:.0} requests are too many for one trace (at most {MAX_REQUESTS}); \
                 make it shorter"
            ),
        }
    }
}

impl std::error::Error for SynthError {}
