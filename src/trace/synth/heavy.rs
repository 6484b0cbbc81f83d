// SPDX-License-Identifier: GPL-2.0-only
//! Functions with heavy tails: the longer a request has run, the longer it
//! has yet to run.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::super::Trace;
use super::NS_PER_MS;
use super::arrivals::Arrivals;
use super::error::SynthError;
use super::plan::{Plan, size};

/// The tail's exponent. Unix processes that live longer than a second have
/// one of about 1 (Harchol-Balter and Downey, *Exploiting Process Lifetime
/// Distributions for Dynamic Load Balancing*, ACM TOCS 15(3), 1997).
const ALPHA: f64 = 1.1;

/// Where the tail ends. It must end somewhere for a load to be one, and
/// early enough for a round of some seconds.
const LONGEST_MS: f64 = 3000.0;

/// Each function's shortest CPU time in microseconds, and its part of all
/// requests.
const MIX: [(u32, f64); 6] = [
    (500, 0.30),
    (1_000, 0.25),
    (2_000, 0.20),
    (5_000, 0.12),
    (10_000, 0.08),
    (20_000, 0.05),
];

/// Six functions with bounded Pareto CPU times, as a load of exactly `load`
/// to `cpus` CPUs, arriving as a Poisson process for about `duration`. A
/// request takes 16 ms on average, half of the CPU time goes to the longest
/// in fifty.
///
/// Each function's CPU times are drawn one from each of as many parts of
/// equal probability as there are requests. Of independent draws the sum
/// would be decided by the one or two longest, and seeds could not be
/// compared.
///
/// # Errors
/// When the numbers give no trace, or one too long to hold.
pub fn heavy(seed: u64, cpus: u32, load: f64, duration: Duration) -> Result<Trace, SynthError> {
    let mean_ms = MIX
        .iter()
        .map(|&(us, share)| share * mean_ms(shortest_ms(us)));
    let (capacity, total) = size(load, cpus, duration, mean_ms.sum::<f64>() * NS_PER_MS)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut plan = Plan::default();
    for (shortest_us, share) in MIX {
        let count = (total * share).round() as u64;
        if count == 0 {
            return Err(SynthError::TooShort(duration));
        }
        let cpu_ns = (0..count).map(|part| {
            let probability = (part as f64 + rng.random::<f64>()) / count as f64;
            quantile_ms(shortest_ms(shortest_us), probability) * NS_PER_MS
        });
        let name = format!("p{shortest_us:05}us");
        plan.add(name, Arrivals::Poisson, cpu_ns);
    }
    Ok(plan.trace(capacity, &mut rng))
}

fn shortest_ms(us: u32) -> f64 {
    f64::from(us) / 1e3
}

/// The part of an unbounded tail that lies beyond the longest.
fn beyond(shortest_ms: f64) -> f64 {
    (shortest_ms / LONGEST_MS).powf(ALPHA)
}

/// The CPU time that a part of `probability` stays below.
fn quantile_ms(shortest_ms: f64, probability: f64) -> f64 {
    let within = 1.0 - beyond(shortest_ms);
    shortest_ms * (1.0 - probability * within).powf(-1.0 / ALPHA)
}

fn mean_ms(shortest_ms: f64) -> f64 {
    let ratio = shortest_ms / LONGEST_MS;
    let unbounded = ALPHA / (ALPHA - 1.0) * shortest_ms;
    unbounded * (1.0 - ratio.powf(ALPHA - 1.0)) / (1.0 - beyond(shortest_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(20);

    #[test]
    fn shares_add_up() {
        let sum: f64 = MIX.iter().map(|&(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_tail_is_where_it_should_be() {
        for shortest in [0.5, 20.0] {
            assert!((quantile_ms(shortest, 0.0) - shortest).abs() < 1e-9);
            assert!((quantile_ms(shortest, 1.0) / LONGEST_MS - 1.0).abs() < 1e-9);
            const DRAWS: usize = 1_000_000;
            let draws = (0..DRAWS).map(|i| quantile_ms(shortest, (i as f64 + 0.5) / DRAWS as f64));
            let mean = draws.sum::<f64>() / DRAWS as f64;
            assert!((mean / mean_ms(shortest) - 1.0).abs() < 0.01);
        }
    }

    #[test]
    fn load_is_exact_and_the_longest_take_half() {
        for seed in 1..6 {
            let trace = heavy(seed, 2, 0.9, DURATION).unwrap();
            assert!((trace.load(2) - 0.9).abs() < 1e-6);
            let seconds = trace.duration_ns as f64 / 1e9;
            assert!((15.0..25.0).contains(&seconds), "{seconds}");
            let mut cpu_ns: Vec<u64> = trace.requests.iter().map(|r| r.cpu_ns).collect();
            cpu_ns.sort_unstable();
            let longest = &cpu_ns[cpu_ns.len() * 98 / 100..];
            let part = longest.iter().sum::<u64>() as f64 / trace.cpu_ns() as f64;
            assert!((0.4..0.7).contains(&part), "{part}");
        }
    }

    #[test]
    fn seed_decides_everything_but_the_functions() {
        let [one, same, other] = [1, 1, 2].map(|seed| heavy(seed, 2, 0.9, DURATION).unwrap());
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.functions, other.functions);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert_eq!(heavy(1, 0, 0.9, DURATION), Err(SynthError::NoCpu));
        assert!(heavy(1, 2, f64::INFINITY, DURATION).is_err());
        assert!(heavy(1, 2, 0.9, Duration::ZERO).is_err());
    }
}
