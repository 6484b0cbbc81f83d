// SPDX-License-Identifier: GPL-2.0-only
//! Functions that are short or long, and nobody can know before: a cache is
//! hit or missed, a request is refused or served.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::super::Trace;
use super::NS_PER_MS;
use super::arrivals::Arrivals;
use super::error::SynthError;
use super::normal::noise;
use super::plan::{Plan, size};

/// A function with two modes.
struct Function {
    /// Mean CPU time of the short mode and of the long one.
    modes_ms: [u32; 2],
    /// Part of its requests that are long.
    long: f64,
    /// Its part of all requests.
    share: f64,
}

const fn function(modes_ms: [u32; 2], long: f64, share: f64) -> Function {
    Function {
        modes_ms,
        long,
        share,
    }
}

/// A function's mean says little here: of those asked for most, one request
/// in twenty takes 50 to 100 times as long as the others. What has run past
/// the short mode is long for certain. A request takes 32 ms on average.
const MIX: [Function; 6] = [
    function([1, 50], 0.05, 0.30),
    function([2, 200], 0.05, 0.25),
    function([5, 400], 0.03, 0.18),
    function([10, 1000], 0.03, 0.12),
    function([30, 300], 0.20, 0.10),
    function([100, 1500], 0.10, 0.05),
];

/// How much the requests of one mode differ.
const SIGMA: f64 = 0.2;

/// Six functions of two modes each, as a load of exactly `load` to `cpus`
/// CPUs, arriving as a Poisson process for about `duration`. Each mode's
/// count is fixed.
///
/// # Errors
/// When the numbers give no trace, or one too long to hold.
pub fn bimodal(seed: u64, cpus: u32, load: f64, duration: Duration) -> Result<Trace, SynthError> {
    let mean_ms: f64 = MIX.iter().map(|f| f.share * f.mean_ms()).sum();
    let (capacity, total) = size(load, cpus, duration, mean_ms * NS_PER_MS)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut plan = Plan::default();
    for function in &MIX {
        let count = total * function.share;
        let counts = [1.0 - function.long, function.long].map(|part| (count * part).round() as u64);
        if counts.contains(&0) {
            return Err(SynthError::TooShort(duration));
        }
        let [short_ms, long_ms] = function.modes_ms;
        let modes = function.modes_ms.into_iter().zip(counts);
        let cpu_ns: Vec<f64> = modes
            .flat_map(|(mode_ms, count)| (0..count).map(move |_| mode_ms))
            .map(|mode_ms| f64::from(mode_ms) * NS_PER_MS * noise(SIGMA, &mut rng))
            .collect();
        let name = format!("b{short_ms:03}-{long_ms:04}ms");
        plan.add(name, Arrivals::Poisson, cpu_ns.into_iter());
    }
    Ok(plan.trace(capacity, &mut rng))
}

impl Function {
    fn mean_ms(&self) -> f64 {
        let [short, long] = self.modes_ms.map(f64::from);
        short * (1.0 - self.long) + long * self.long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(20);

    #[test]
    fn shares_add_up() {
        let sum: f64 = MIX.iter().map(|f| f.share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn load_is_exact_and_modes_are_apart() {
        let trace = bimodal(1, 2, 0.9, DURATION).unwrap();
        assert!((trace.load(2) - 0.9).abs() < 1e-6);
        let seconds = trace.duration_ns as f64 / 1e9;
        assert!((17.0..23.0).contains(&seconds), "{seconds}");
        for (index, function) in (0..).zip(&MIX) {
            let [short, long] = function.modes_ms;
            let of = trace.requests.iter().filter(|r| r.function == index);
            let between = u64::from(short) * 2_500_000..u64::from(long) * 400_000;
            assert!(of.clone().all(|r| !between.contains(&r.cpu_ns)));
            let long = of.clone().filter(|r| r.cpu_ns >= between.end).count();
            let part = long as f64 / of.count() as f64;
            assert!((part / function.long - 1.0).abs() < 0.5, "{part}");
        }
    }

    #[test]
    fn seed_decides_everything_but_the_functions() {
        let [one, same, other] = [1, 1, 2].map(|seed| bimodal(seed, 2, 0.9, DURATION).unwrap());
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.functions, other.functions);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert_eq!(bimodal(1, 0, 0.9, DURATION), Err(SynthError::NoCpu));
        assert!(bimodal(1, 2, -1.0, DURATION).is_err());
        assert!(bimodal(1, 2, 0.9, Duration::ZERO).is_err());
    }
}
