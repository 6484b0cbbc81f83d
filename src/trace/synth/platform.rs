// SPDX-License-Identifier: GPL-2.0-only
//! What one machine of a serverless platform sees, after what was published
//! of Azure Functions and of Huawei's clouds.

use std::f64::consts::LN_10;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::super::Trace;
use super::NS_PER_MS;
use super::arrivals::Arrivals;
use super::error::SynthError;
use super::normal::{noise, quantile};
use super::plan::{Plan, size};

/// Functions a machine sees: a few popular ones and a long tail.
const FUNCTIONS: u32 = 100;

/// How much the invocations of one function differ: the standard deviation
/// of the logarithm of their CPU time. Nobody published it; the longest of a
/// hundred takes three times as long as half of them.
const SIGMA_WITHIN: f64 = 0.5;

/// No request takes longer, so that a round of some seconds means something:
/// it would hold two or three such requests, and its mean would be theirs.
const LONGEST_NS: f64 = 2e9;

/// None takes less; starting a process takes as long.
const SHORTEST_NS: f64 = 0.5 * NS_PER_MS;

/// Fractional parts of multiples of these are spread evenly, whatever the
/// number of them, and together evenly over the square: they pair each
/// function's popularity with a duration and a pattern without any order in
/// it, and without chance.
const GOLDEN: f64 = 0.618_033_988_749_895;
const PLASTIC: f64 = 0.754_877_666_246_693;

/// What was published of a platform.
struct Platform {
    /// First letter of its functions' names.
    letter: char,
    /// Mean of the logarithm of the functions' mean CPU time in nanoseconds.
    mu: f64,
    /// Its standard deviation.
    sigma: f64,
    /// The function of rank r has a part of the requests that goes with
    /// 1 / r^exponent (Zipf).
    exponent: f64,
    /// Part of the functions that are asked for by timers.
    timers: f64,
    /// Part that are asked for in bursts.
    bursty: f64,
    /// Mean requests in a burst.
    burst: f64,
}

/// The most popular functions are no timers: on Azure a sixth of the
/// functions are, and have one in fifty of the requests.
const RANKS_WITHOUT_TIMERS: u32 = 10;

/// Mean time between two requests of a burst.
const GAP_NS: f64 = 5.0 * NS_PER_MS;

/// A machine of Azure Functions, its time running 60 times as fast: what
/// takes a minute there takes a second here.
///
/// Mean CPU times are log-normal with mu = -0.38 and sigma = 2.36 in seconds
/// of Azure's (Serverless in the Wild, ATC'20), so here with a median of
/// 11 ms, cut at 0.5 ms and 2 s.
///
/// # Errors
/// When the numbers give no trace, or one too long to hold.
pub fn azure(seed: u64, cpus: u32, load: f64, duration: Duration) -> Result<Trace, SynthError> {
    let ns_per_azure_s = 1e9f64 / 60.0;
    let azure = Platform {
        letter: 'a',
        mu: -0.38 + ns_per_azure_s.ln(),
        sigma: 2.36,
        exponent: 1.5,
        timers: 0.16,
        bursty: 0.29,
        burst: 5.0,
    };
    azure.trace(seed, cpus, load, duration)
}

/// A machine of Huawei's clouds.
///
/// Mean CPU times have a median of 20 ms, the geometric mean of the published
/// 4 ms and 100 ms of the fastest and slowest region (Serverless Cold Starts
/// and Where to Find Them, EuroSys'25), and spread over four orders of
/// magnitude (How Does It Function, SoCC'23): from 2.5 standard deviations
/// below to as many above. They are cut at 0.5 ms and 2 s.
///
/// # Errors
/// When the numbers give no trace, or one too long to hold.
pub fn huawei(seed: u64, cpus: u32, load: f64, duration: Duration) -> Result<Trace, SynthError> {
    let huawei = Platform {
        letter: 'h',
        mu: (20.0 * NS_PER_MS).ln(),
        sigma: 4.0 * LN_10 / 5.0,
        exponent: 1.2,
        timers: 0.16,
        bursty: 0.5,
        burst: 10.0,
    };
    huawei.trace(seed, cpus, load, duration)
}

/// One function of a platform.
struct Function {
    mean_ns: f64,
    share: f64,
    arrivals: Arrivals,
}

impl Platform {
    fn functions(&self) -> Vec<Function> {
        let weight = |rank: u32| f64::from(rank).powf(-self.exponent);
        let total: f64 = (1..=FUNCTIONS).map(weight).sum();
        (1..=FUNCTIONS)
            .map(|rank| {
                let normal = quantile((f64::from(rank) * GOLDEN).fract());
                let mean_ns = (self.mu + self.sigma * normal).exp();
                Function {
                    mean_ns: mean_ns.clamp(SHORTEST_NS, LONGEST_NS),
                    share: weight(rank) / total,
                    arrivals: self.arrivals(rank),
                }
            })
            .collect()
    }

    fn arrivals(&self, rank: u32) -> Arrivals {
        let place = (f64::from(rank) * PLASTIC).fract();
        if place >= 1.0 - self.bursty {
            Arrivals::Bursts {
                size: self.burst,
                gap_ns: GAP_NS,
            }
        } else if place < self.timers && rank > RANKS_WITHOUT_TIMERS {
            Arrivals::Clock
        } else {
            Arrivals::Poisson
        }
    }

    /// As for the mix, each function's count is fixed, so that seeds differ
    /// in when requests arrive rather than in how much work they are. A
    /// function too rare for the duration has no request.
    fn trace(
        &self,
        seed: u64,
        cpus: u32,
        load: f64,
        duration: Duration,
    ) -> Result<Trace, SynthError> {
        let functions = self.functions();
        let mean_ns = functions.iter().map(|f| f.share * f.mean_ns).sum();
        let (capacity, total) = size(load, cpus, duration, mean_ns)?;
        let counts = counts(&functions, total, total * mean_ns);
        if counts.iter().all(|&count| count == 0) {
            return Err(SynthError::TooShort(duration));
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut plan = Plan::default();
        for ((rank, function), count) in (1..).zip(&functions).zip(counts) {
            let cpu_ns = (0..count).map(|_| {
                let cpu_ns = function.mean_ns * noise(SIGMA_WITHIN, &mut rng);
                cpu_ns.clamp(SHORTEST_NS, LONGEST_NS)
            });
            let name = format!("{}{rank:03}", self.letter);
            plan.add(name, function.arrivals, cpu_ns);
        }
        Ok(plan.trace(capacity, &mut rng))
    }
}

/// How often each function is asked for, about `total` times together.
///
/// Rare functions are rounded to no request at all, and it is the long ones
/// that would be missed: the others get more until all ask for `cpu_ns`.
fn counts(functions: &[Function], mut total: f64, cpu_ns: f64) -> Vec<u64> {
    const ROUNDS: usize = 4;
    let mut counts = Vec::new();
    for _ in 0..ROUNDS {
        counts = functions
            .iter()
            .map(|function| (total * function.share).round() as u64)
            .collect();
        let each = functions.iter().zip(&counts);
        let sum_ns: f64 = each.map(|(f, &count)| f.mean_ns * count as f64).sum();
        if sum_ns > 0.0 {
            total *= cpu_ns / sum_ns;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::super::dispersion::dispersion;
    use super::*;

    const DURATION: Duration = Duration::from_secs(20);

    type Make = fn(u64, u32, f64, Duration) -> Result<Trace, SynthError>;
    const BOTH: [Make; 2] = [azure, huawei];

    #[test]
    fn load_is_exact_and_the_duration_about() {
        for make in BOTH {
            for load in [0.3, 0.9, 1.05] {
                let trace = make(1, 2, load, DURATION).unwrap();
                assert!((trace.load(2) - load).abs() < 1e-6);
                let seconds = trace.duration_ns as f64 / 1e9;
                assert!((16.0..24.0).contains(&seconds), "{load}: {seconds} s");
                assert!(trace.requests.is_sorted_by_key(|r| r.arrival_ns));
            }
        }
    }

    #[test]
    fn means_are_log_normal_as_published() {
        let normals: Vec<f64> = (1..=FUNCTIONS)
            .map(|rank| quantile((f64::from(rank) * GOLDEN).fract()))
            .collect();
        let mean = normals.iter().sum::<f64>() / normals.len() as f64;
        let squares = normals.iter().map(|normal| (normal - mean).powi(2));
        let sigma = (squares.sum::<f64>() / normals.len() as f64).sqrt();
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((sigma - 1.0).abs() < 0.05, "{sigma}");
    }

    #[test]
    fn a_few_functions_have_most_requests_and_many_have_some() {
        for make in BOTH {
            let trace = make(1, 2, 0.9, Duration::from_secs(200)).unwrap();
            let mut counts = vec![0usize; trace.functions.len()];
            for request in &trace.requests {
                counts[request.function as usize] += 1;
            }
            assert!(counts.is_sorted_by(|a, b| a >= b), "by rank");
            let top: usize = counts[..10].iter().sum();
            let share = top as f64 / trace.requests.len() as f64;
            assert!((0.5..0.9).contains(&share), "{share}");
            assert!(counts.iter().all(|&count| count > 0));
        }
    }

    #[test]
    fn arrivals_come_in_bursts() {
        for make in BOTH {
            let trace = make(1, 2, 0.9, Duration::from_secs(200)).unwrap();
            let bursts = dispersion(&trace, 1_000_000_000).unwrap();
            assert!(bursts > 2.0, "{bursts}");
        }
    }

    #[test]
    fn cpu_times_are_cut() {
        for make in BOTH {
            let trace = make(3, 8, 0.9, Duration::from_secs(100)).unwrap();
            let cut = SHORTEST_NS as u64..=LONGEST_NS as u64;
            assert!(trace.requests.iter().all(|r| cut.contains(&r.cpu_ns)));
        }
    }

    #[test]
    fn seeds_share_functions_and_nothing_else() {
        for make in BOTH {
            let [one, same, other] = [1, 1, 2].map(|seed| make(seed, 2, 0.9, DURATION).unwrap());
            assert_eq!(one, same);
            assert_ne!(one.requests, other.requests);
            assert_eq!(one.functions, other.functions);
            assert_eq!(one.requests.len(), other.requests.len());
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        for make in BOTH {
            assert_eq!(make(1, 0, 0.9, DURATION), Err(SynthError::NoCpu));
            assert!(make(1, 2, f64::NAN, DURATION).is_err());
            assert!(make(1, 2, 0.9, Duration::ZERO).is_err());
            assert!(make(1, u32::MAX, 1e300, Duration::MAX).is_err());
        }
    }
}
