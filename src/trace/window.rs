// SPDX-License-Identifier: GPL-2.0-only
//! What part of a recording is read, and at what scale.

use super::NS_PER_S;

/// Requests above this number are refused: 240 MB of them.
pub const MAX_REQUESTS: usize = 10_000_000;

/// CPU times are rounded to no less than this.
const MIN_CPU_NS: f64 = 1e3;

/// A part of a recording. All of it and as it is by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Where it begins, in seconds from the recording's beginning.
    pub from_s: f64,
    /// How long it is, in seconds of the recording; `None`: to its end.
    pub seconds: Option<f64>,
    /// What the times between arrivals are multiplied by.
    pub time_scale: f64,
    /// What CPU times are multiplied by.
    pub cpu_scale: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            from_s: 0.0,
            seconds: None,
            time_scale: 1.0,
            cpu_scale: 1.0,
        }
    }
}

impl Window {
    /// Where it ends, in seconds from the recording's beginning.
    pub fn until_s(&self) -> f64 {
        self.seconds
            .map_or(f64::INFINITY, |seconds| self.from_s + seconds)
    }

    /// Whether it has the moment `time_ns`, in nanoseconds of the recording.
    pub fn has(&self, time_ns: f64) -> bool {
        (self.from_s * NS_PER_S..self.until_s() * NS_PER_S).contains(&time_ns)
    }

    /// When a request arrives that does so at `time_ns` of the recording,
    /// from the window's beginning.
    pub fn arrival_ns(&self, time_ns: f64) -> u64 {
        whole_ns((time_ns - self.from_s * NS_PER_S) * self.time_scale)
    }

    /// The CPU time of a request that takes `cpu_ns` in the recording.
    pub fn cpu_ns(&self, cpu_ns: f64) -> u64 {
        whole_ns((cpu_ns * self.cpu_scale).max(MIN_CPU_NS))
    }
}

/// Rounded; what is no number or negative is 0.
fn whole_ns(ns: f64) -> u64 {
    ns.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_by_default() {
        let window = Window::default();
        assert!(window.has(0.0) && window.has(1e18) && !window.has(-1.0));
        assert_eq!(window.arrival_ns(1.5e9), 1_500_000_000);
        assert_eq!(window.cpu_ns(0.0), 1_000);
    }

    #[test]
    fn a_part_is_counted_from_its_beginning() {
        let window = Window {
            from_s: 60.0,
            seconds: Some(60.0),
            time_scale: 0.5,
            cpu_scale: 0.1,
        };
        assert!(!window.has(59.9e9) && window.has(60e9) && !window.has(120e9));
        assert_eq!(window.arrival_ns(62e9), 1_000_000_000);
        assert_eq!(window.cpu_ns(1e9), 100_000_000);
    }
}
