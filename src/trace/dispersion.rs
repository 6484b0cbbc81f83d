// SPDX-License-Identifier: GPL-2.0-only
//! How bursty a trace is.

use super::Trace;

/// More intervals than this are no help to anybody.
const MAX_INTERVALS: u64 = 10_000_000;

/// The index of dispersion for counts: the variance of the number of
/// requests in intervals of `interval_ns`, over its mean. 1 for a Poisson
/// process, 0 for a clock, more for what comes in bursts.
///
/// `None` where there are fewer than two intervals, too many, or no requests.
pub fn dispersion(trace: &Trace, interval_ns: u64) -> Option<f64> {
    let intervals = trace.duration_ns.checked_div(interval_ns)?;
    if !(2..=MAX_INTERVALS).contains(&intervals) {
        return None;
    }
    let mut counts = vec![0u32; usize::try_from(intervals).ok()?];
    for request in &trace.requests {
        let interval = usize::try_from(request.arrival_ns / interval_ns).ok()?;
        // The last, unfinished interval does not count.
        if let Some(count) = counts.get_mut(interval) {
            *count += 1;
        }
    }
    let mean = counts.iter().map(|&n| f64::from(n)).sum::<f64>() / intervals as f64;
    let squares = counts.iter().map(|&n| (f64::from(n) - mean).powi(2));
    let variance = squares.sum::<f64>() / (intervals - 1) as f64;
    (mean > 0.0).then(|| variance / mean)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Request, synth};
    use super::*;

    fn at(arrivals_ns: &[u64], duration_ns: u64) -> Trace {
        Trace {
            functions: vec!["f".into()],
            requests: arrivals_ns
                .iter()
                .map(|&arrival_ns| Request {
                    arrival_ns,
                    function: 0,
                    cpu_ns: 1,
                })
                .collect(),
            duration_ns,
        }
    }

    #[test]
    fn a_clock_a_poisson_process_and_a_burst() {
        let clock: Vec<u64> = (0..100).map(|n| n * 10 + 5).collect();
        assert_eq!(dispersion(&at(&clock, 1000), 10), Some(0.0));
        let mixed = synth::mixed(1, 16, 0.9, Duration::from_secs(60)).unwrap();
        let poisson = dispersion(&mixed, 100_000_000).unwrap();
        assert!((0.85..1.15).contains(&poisson), "{poisson}");
        let burst = dispersion(&at(&[500; 100], 1000), 10).unwrap();
        assert!((burst - 100.0).abs() < 1.0, "{burst}");
    }

    #[test]
    fn nothing_to_tell_is_none() {
        assert_eq!(dispersion(&at(&[], 1000), 10), None);
        assert_eq!(dispersion(&at(&[1], 1000), 0), None);
        assert_eq!(dispersion(&at(&[1], 1000), 1000), None);
        assert_eq!(dispersion(&at(&[1], u64::MAX), 1), None);
    }
}
