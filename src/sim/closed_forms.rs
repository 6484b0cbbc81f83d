// SPDX-License-Identifier: GPL-2.0-only
//! Simulations held against what queueing theory has in closed form.
//!
//! Each theory must lie within the 99.9 % confidence interval of the simulated
//! mean response, from the means of 30 batches of jobs; seeds are fixed.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};

use super::fifo::Fifo;
use super::index::{ByIndex, Index};
use super::machine::{Machine, run};
use super::share::{Groups, Weights};
use super::srpt::Srpt;
use super::test::job_of;
use super::{Discipline, Job, Outcome, las, share};
use crate::invocation::FunctionId;

const JOBS: usize = 3_000_000;

/// No interval may be wider to either side, as a share of the theory.
const NARROW: f64 = 0.04;

/// The unit of time, in which services take 1 on average.
const UNIT_NS: f64 = 1e6;

/// A distribution of service times, of mean 1.
#[derive(Clone, Copy, Debug)]
enum Service {
    Deterministic,
    Exponential,
    /// Nine in ten of mean 0.5 and one of mean 5.5: a falling hazard rate.
    Hyperexponential,
}

const SHORT: (f64, f64) = (0.9, 0.5);
const LONG: (f64, f64) = (0.1, 5.5);

impl Service {
    fn sample(self, rng: &mut Xoshiro256PlusPlus) -> f64 {
        let exponential: f64 = Exp1.sample(rng);
        match self {
            Service::Deterministic => 1.0,
            Service::Exponential => exponential,
            Service::Hyperexponential => {
                let (_, mean) = if rng.random::<f64>() < SHORT.0 {
                    SHORT
                } else {
                    LONG
                };
                mean * exponential
            }
        }
    }

    /// `P(S > x)`.
    fn survival(self, x: f64) -> f64 {
        let phase = |(share, mean): (f64, f64)| share * (-x / mean).exp();
        match self {
            Service::Deterministic => f64::from(x < 1.0),
            Service::Exponential => (-x).exp(),
            Service::Hyperexponential => phase(SHORT) + phase(LONG),
        }
    }

    fn second_moment(self) -> f64 {
        match self {
            Service::Deterministic => 1.0,
            Service::Exponential => 2.0,
            Service::Hyperexponential => {
                2.0 * (SHORT.0 * SHORT.1.powi(2) + LONG.0 * LONG.1.powi(2))
            }
        }
    }
}

/// Poisson arrivals of rate `rate`.
fn jobs(seed: u64, rate: f64, service: Service) -> Vec<Job> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut now = 0.0;
    (0..JOBS)
        .map(|_| {
            let gap: f64 = Exp1.sample(&mut rng);
            now += gap / rate;
            let cpu = service.sample(&mut rng);
            job_of(0, (now * UNIT_NS) as u64, (cpu * UNIT_NS).round() as u64)
        })
        .collect()
}

/// Mean and half the width of its 99.9 % confidence interval.
fn interval(values: &[f64]) -> (f64, f64) {
    const BATCHES: usize = 30;
    /// Student's t for 29 degrees of freedom, 99.9 %, two-sided.
    const T: f64 = 3.659;
    // The first tenth is before the steady state.
    let steady = &values[values.len() / 10..];
    let means: Vec<f64> = steady
        .chunks(steady.len().div_ceil(BATCHES))
        .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
        .collect();
    let count = means.len() as f64;
    let mean = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, T * (variance / count).sqrt())
}

fn responses(jobs: &[Job], outcomes: &[Outcome]) -> Vec<f64> {
    let pairs = jobs.iter().zip(outcomes);
    pairs
        .map(|(job, outcome)| (outcome.finish_ns - job.arrival_ns) as f64 / UNIT_NS)
        .collect()
}

#[track_caller]
fn assert_mean(values: &[f64], theory: f64, narrow: f64) {
    let (mean, half) = interval(values);
    assert!(
        (mean - theory).abs() <= half,
        "{mean} ± {half}, theory {theory}"
    );
    assert!(half < narrow * theory, "{mean} ± {half} says too little");
}

fn under<D: Discipline>(mut discipline: D, jobs: &[Job], cpus: usize) -> Vec<f64> {
    let outcomes = run(&mut discipline, jobs, Machine::ideal(cpus), |_| {});
    responses(jobs, &outcomes)
}

/// The integral of `f` from 0 to `to`, by Simpson's rule.
fn integral(to: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 200;
    let width = to / STEPS as f64;
    let sum: f64 = (0..=STEPS)
        .map(|step| {
            let weight = match step {
                0 | STEPS => 1.0,
                step if step % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * f(step as f64 * width)
        })
        .sum();
    sum * width / 3.0
}

/// The mean over all sizes of a response that depends on the size.
///
/// By parts, from the survival function alone: `E[T(S)] = ∫ T'(x) P(S > x) dx`.
fn mean_over_sizes(service: Service, response: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 0.04;
    (0..2_000)
        .map(|step| {
            let x = f64::from(step) * STEP;
            (response(x + STEP) - response(x)) * service.survival(x + STEP / 2.0)
        })
        .sum()
}

const ALL: [Service; 3] = [
    Service::Deterministic,
    Service::Exponential,
    Service::Hyperexponential,
];

/// `E[T] = E[S] + λ E[S²] / (2 (1 - ρ))`.
#[test]
fn fifo_is_pollaczek_and_khinchine() {
    for service in ALL {
        for load in [0.3, 0.7] {
            let theory = 1.0 + load * service.second_moment() / (2.0 * (1.0 - load));
            assert_mean(&under(Fifo, &jobs(1, load, service), 1), theory, NARROW);
        }
    }
}

/// `E[T] = 1 + C(k, λ) / (k - λ)`, with Erlang's C.
#[test]
fn fifo_on_several_cpus_is_erlangs() {
    for (cpus, load) in [(2usize, 0.7), (8, 0.8), (24, 0.9)] {
        let rate = load * cpus as f64;
        // Erlang's B by its recursion, and C from it.
        let b = (1..=cpus).fold(1.0, |b, k| rate * b / (k as f64 + rate * b));
        let c = b / (1.0 - load * (1.0 - b));
        let theory = 1.0 + c / (cpus as f64 - rate);
        let jobs = jobs(2, rate, Service::Exponential);
        assert_mean(&under(Fifo, &jobs, cpus), theory, NARROW);
    }
}

/// `E[T] = 1 / (1 - ρ)` whatever the distribution, and `E[T(x)] = x / (1 - ρ)`.
#[test]
fn processor_sharing_is_insensitive() {
    let load = 0.7;
    for service in ALL {
        let jobs = jobs(3, load, service);
        let outcomes = share::replay(&jobs, 1, Groups::Jobs, &Weights::default());
        let responses = responses(&jobs, &outcomes);
        assert_mean(&responses, 1.0 / (1.0 - load), NARROW);
        let slowdowns: Vec<f64> = jobs
            .iter()
            .zip(&responses)
            .filter(|(job, _)| job.cpu_ns > 0)
            .map(|(job, response)| response * UNIT_NS / job.cpu_ns as f64)
            .collect();
        assert_mean(&slowdowns, 1.0 / (1.0 - load), NARROW);
    }
}

/// On several CPUs processor sharing has the mean response of first in, first
/// out where service is exponential: the number present is the same chain.
#[test]
fn processor_sharing_of_exponentials_is_erlangs_too() {
    let (cpus, load) = (4usize, 0.8);
    let rate = load * cpus as f64;
    let b = (1..=cpus).fold(1.0, |b, k| rate * b / (k as f64 + rate * b));
    let c = b / (1.0 - load * (1.0 - b));
    let jobs = jobs(4, rate, Service::Exponential);
    let outcomes = share::replay(&jobs, cpus, Groups::Jobs, &Weights::default());
    assert_mean(
        &responses(&jobs, &outcomes),
        1.0 + c / (cpus as f64 - rate),
        NARROW,
    );
}

/// Schrage and Miller, 1966: with `ρ(x)` the load of jobs up to `x`,
/// `E[T(x)] = λ ∫₀ˣ t P(S > t) dt / (1 - ρ(x))² + ∫₀ˣ dt / (1 - ρ(t))`.
#[test]
fn srpt_is_schrage_and_millers() {
    let load = 0.8;
    // Where all are as long, the shortest remaining is the first come.
    let jobs_alike = jobs(5, load, Service::Deterministic);
    let theory = 1.0 + load / (2.0 * (1.0 - load));
    assert_mean(&under(Srpt::default(), &jobs_alike, 1), theory, NARROW);
    for service in [Service::Exponential, Service::Hyperexponential] {
        // ∫₀ˣ t f(t) dt, by parts.
        let upto = |x: f64| load * (integral(x, |t| service.survival(t)) - x * service.survival(x));
        let theory = mean_over_sizes(service, |x| {
            let waits = load * integral(x, |t| t * service.survival(t));
            let serves = closed_integral(x, |t| 1.0 / (1.0 - upto(t)));
            waits / (1.0 - upto(x)).powi(2) + serves
        });
        assert_mean(
            &under(Srpt::default(), &jobs(5, load, service), 1),
            theory,
            NARROW,
        );
    }
}

/// As [`integral`], for what is itself an integral.
fn closed_integral(to: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 60;
    let width = to / STEPS as f64;
    (0..STEPS)
        .map(|step| f((step as f64 + 0.5) * width) * width)
        .sum()
}

/// With `X = min(S, x)`:
/// `E[T(x)] = λ E[X²] / (2 (1 - λ E[X])²) + x / (1 - λ E[X])` (Schrage, 1967).
#[test]
fn least_attained_service_is_schrages() {
    let load = 0.7;
    for service in ALL {
        let jobs = jobs(6, load, service);
        let responses = responses(&jobs, &las::replay(&jobs, 1));
        let response = |x: f64| {
            let mean = integral(x, |t| service.survival(t));
            let square = 2.0 * integral(x, |t| t * service.survival(t));
            let left = 1.0 - load * mean;
            load * square / (2.0 * left * left) + x / left
        };
        let theory = match service {
            // The survival function is no smooth one to integrate.
            Service::Deterministic => load / (2.0 * (1.0 - load).powi(2)) + 1.0 / (1.0 - load),
            _ => mean_over_sizes(service, response),
        };
        assert_mean(&responses, theory, NARROW);
    }
}

/// Where the hazard rate falls, the less was attained the sooner the end.
#[test]
fn least_attained_service_beats_sharing_where_the_hazard_rate_falls() {
    let jobs = jobs(7, 0.8, Service::Hyperexponential);
    let mean = |outcomes: &[Outcome]| interval(&responses(&jobs, outcomes)).0;
    let las = mean(&las::replay(&jobs, 1));
    let ps = mean(&share::replay(&jobs, 1, Groups::Jobs, &Weights::default()));
    let srpt = interval(&under(Srpt::default(), &jobs, 1)).0;
    assert!(srpt < las && las < 0.9 * ps, "{srpt} {las} {ps}");
}

/// The mean of each function, known beforehand.
struct KnownMeans([u64; 3]);

impl Index for KnownMeans {
    fn value(&mut self, function: FunctionId, _attained_ns: u64, _now_ns: u64) -> u64 {
        self.0[function.slot()]
    }

    fn holds_until_ns(&self, _attained_ns: u64) -> u64 {
        u64::MAX
    }
}

/// An exponential function never ages, so SERPT, M-SERPT and Gittins are all
/// preemptive priorities between functions, shorter mean first:
/// `E[T_i] = E[S_i] / (1 - σ_{i-1}) + Σ_{j ≤ i} λ_j E[S_j²] / (2 (1 - σ_{i-1}) (1 - σ_i))`.
#[test]
fn exponential_functions_have_preemptive_priorities() {
    let functions = [(0.9, 0.2), (0.3, 0.8), (0.1, 3.6)];
    let rate: f64 = functions.iter().map(|(rate, _)| rate).sum();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let mut now = 0.0;
    let jobs: Vec<Job> = (0..JOBS)
        .map(|_| {
            let gap: f64 = Exp1.sample(&mut rng);
            now += gap / rate;
            let pick = rng.random::<f64>() * rate;
            let slot = if pick < 0.9 {
                0
            } else if pick < 1.2 {
                1
            } else {
                2
            };
            let size: f64 = Exp1.sample(&mut rng);
            let cpu = size * functions[slot].1;
            job_of(slot as u32, (now * UNIT_NS) as u64, (cpu * UNIT_NS) as u64)
        })
        .collect();
    let means = KnownMeans(functions.map(|(_, mean)| (mean * UNIT_NS) as u64));
    let responses = under(ByIndex(means), &jobs, 1);
    let (mut before, mut squares) = (0.0, 0.0);
    for (slot, (rate, mean)) in functions.into_iter().enumerate() {
        let upto = before + rate * mean;
        squares += rate * 2.0 * mean * mean;
        let theory = mean / (1.0 - before) + squares / (2.0 * (1.0 - before) * (1.0 - upto));
        before = upto;
        let own: Vec<f64> = jobs
            .iter()
            .zip(&responses)
            .filter(|(job, _)| job.function.slot() == slot)
            .map(|(_, &response)| response)
            .collect();
        assert_mean(&own, theory, NARROW);
    }
}
