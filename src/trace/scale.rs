// SPDX-License-Identifier: GPL-2.0-only
//! A trace made to fit a machine: slower or faster, shorter, of fewer
//! functions.
//!
//! Dropping requests one by one would make a bursty trace a Poisson process.
//! So nothing here does: a trace is stretched in time, which keeps the order
//! and the relative distances of all arrivals, or whole functions are left
//! out, which keeps every remaining one as it is.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use super::{NS_PER_S, Request, Trace};

/// A function that asks for more of what a machine has than this is spread
/// over many machines on a platform, and not chosen for one.
const LARGEST_PART: f64 = 0.25;

/// Chooses functions at random, whole, by the CPU time `cpu_s` each asks for.
///
/// With a `target_s`, their sum is at most that; functions of more than a
/// quarter of it are never chosen, unless there are no others: then it is the
/// smallest alone. With `most`, no more than that many. The choice is in
/// order of the index.
pub fn choose_functions(
    cpu_s: &[f64],
    target_s: Option<f64>,
    most: Option<usize>,
    seed: u64,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cpu_s.len()).collect();
    order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
    let mut sum_s = 0.0;
    let mut chosen: Vec<usize> = Vec::new();
    for index in order {
        if most.is_some_and(|most| chosen.len() >= most) {
            break;
        }
        let fits = target_s.is_none_or(|target_s| {
            cpu_s[index] <= target_s * LARGEST_PART && sum_s + cpu_s[index] <= target_s
        });
        if fits {
            sum_s += cpu_s[index];
            chosen.push(index);
        }
    }
    if chosen.is_empty() && most != Some(0) {
        chosen.extend((0..cpu_s.len()).min_by(|&a, &b| cpu_s[a].total_cmp(&cpu_s[b])));
    }
    chosen.sort_unstable();
    chosen
}

impl Trace {
    /// The CPU time each function asks for, in seconds.
    pub fn cpu_s_by_function(&self) -> Vec<f64> {
        let mut cpu_s = vec![0.0; self.functions.len()];
        for request in &self.requests {
            cpu_s[request.function as usize] += request.cpu_ns as f64 / NS_PER_S;
        }
        cpu_s
    }

    /// Only the requests for the functions `chosen` (indices), which are
    /// numbered anew.
    pub fn of_functions(&self, chosen: &[usize]) -> Self {
        let numbers: HashMap<u32, u32> = (0..)
            .zip(chosen)
            .map(|(number, &index)| (index as u32, number))
            .collect();
        let requests = self.requests.iter().filter_map(|request| {
            let function = *numbers.get(&request.function)?;
            Some(Request {
                function,
                ..*request
            })
        });
        Self {
            functions: chosen
                .iter()
                .map(|&index| self.functions[index].clone())
                .collect(),
            requests: requests.collect(),
            duration_ns: self.duration_ns,
        }
    }

    /// Only functions that are asked for.
    pub fn without_idle_functions(&self) -> Self {
        let mut asked = vec![false; self.functions.len()];
        for request in &self.requests {
            asked[request.function as usize] = true;
        }
        let asked: Vec<usize> = (0..asked.len()).filter(|&index| asked[index]).collect();
        self.of_functions(&asked)
    }

    /// Stretched or compressed in time, so that it is a load of `load` to
    /// `cpus` CPUs; exactly so but for rounding to nanoseconds.
    ///
    /// With `longest_ns`, only as many of the first requests as keep it about
    /// that long. CPU times stay as they are.
    pub fn at_load(&self, load: f64, cpus: u32, longest_ns: Option<u64>) -> Self {
        let capacity = load * f64::from(cpus);
        let count = match longest_ns {
            Some(longest_ns) => self.requests_within(capacity * longest_ns as f64),
            None => self.requests.len(),
        };
        let requests = &self.requests[..count];
        let cpu_ns: f64 = requests.iter().map(|r| r.cpu_ns as f64).sum();
        let until_ns = match self.requests.get(count) {
            Some(next) => next.arrival_ns,
            None => self.duration_ns,
        };
        let duration_ns = cpu_ns / capacity;
        let factor = duration_ns / (until_ns.max(1)) as f64;
        let stretched = requests.iter().map(|request| Request {
            arrival_ns: (request.arrival_ns as f64 * factor).round() as u64,
            ..*request
        });
        Self {
            functions: self.functions.clone(),
            requests: stretched.collect(),
            duration_ns: duration_ns.round() as u64,
        }
    }

    /// How many of the first requests ask for `cpu_ns` together.
    fn requests_within(&self, cpu_ns: f64) -> usize {
        let mut sum_ns = 0.0;
        let within = self.requests.iter().take_while(|request| {
            let before_ns = sum_ns;
            sum_ns += request.cpu_ns as f64;
            before_ns < cpu_ns
        });
        within.count()
    }

    /// Only the requests of its first `longest_ns` nanoseconds.
    pub fn first(&self, longest_ns: u64) -> Self {
        let count = self
            .requests
            .partition_point(|request| request.arrival_ns < longest_ns);
        Self {
            functions: self.functions.clone(),
            requests: self.requests[..count].to_vec(),
            duration_ns: self.duration_ns.min(longest_ns),
        }
    }
}

/// Gives all traces the same list of functions, so that a number means the
/// same function in each.
pub fn share_functions(traces: &mut [&mut Trace]) {
    let Some(first) = traces.first() else {
        return;
    };
    if traces
        .iter()
        .all(|trace| trace.functions == first.functions)
    {
        return;
    }
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut functions = Vec::new();
    for trace in traces.iter_mut() {
        let own: Vec<u32> = trace
            .functions
            .iter()
            .map(|name| {
                *numbers.entry(name.clone()).or_insert_with(|| {
                    functions.push(name.clone());
                    functions.len() as u32 - 1
                })
            })
            .collect();
        for request in &mut trace.requests {
            request.function = own[request.function as usize];
        }
    }
    for trace in traces {
        trace.functions.clone_from(&functions);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dispersion::dispersion;
    use super::*;

    fn trace(requests: &[(u64, u32, u64)]) -> Trace {
        let functions = requests.iter().map(|r| r.1).max().map_or(0, |f| f + 1);
        Trace {
            functions: (0..functions).map(|f| format!("f{f}")).collect(),
            requests: requests
                .iter()
                .map(|&(arrival_ns, function, cpu_ns)| Request {
                    arrival_ns,
                    function,
                    cpu_ns,
                })
                .collect(),
            duration_ns: 1000,
        }
    }

    #[test]
    fn the_load_is_met_and_the_shape_kept() {
        let trace = trace(&[(0, 0, 300), (500, 1, 100), (600, 0, 100), (900, 0, 500)]);
        let all = trace.at_load(0.5, 2, None);
        assert_eq!(all.duration_ns, 1000);
        assert_eq!(all, trace);
        let half = trace.at_load(0.25, 2, None);
        assert_eq!(half.requests[1].arrival_ns, 1000);
        assert_eq!(half.duration_ns, 2000);
        let short = trace.at_load(0.5, 2, Some(400));
        assert_eq!(
            short.requests.len(),
            2,
            "300 + 100 ns of CPU time are 400 ns"
        );
        assert_eq!(short.duration_ns, 400);
        assert_eq!(short.requests[1].arrival_ns, 333, "500 of 600 ns");
    }

    #[test]
    fn functions_are_chosen_whole() {
        let cpu_s = [5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let chosen = choose_functions(&cpu_s, Some(4.0), None, 1);
        assert_eq!(chosen.len(), 4);
        assert!(!chosen.contains(&0), "more than a quarter");
        assert_eq!(choose_functions(&cpu_s, None, None, 1).len(), 7);
        assert_eq!(choose_functions(&cpu_s, None, Some(2), 1).len(), 2);
        assert_eq!(choose_functions(&[5.0, 4.0], Some(1.0), None, 1), [1]);
        assert!(choose_functions(&[], Some(1.0), None, 1).is_empty());
    }

    #[test]
    fn a_choice_is_numbered_anew() {
        let some = trace(&[(0, 0, 1), (1, 2, 1), (2, 1, 1)]).of_functions(&[1, 2]);
        assert_eq!(some.functions, ["f1", "f2"]);
        assert_eq!(
            some.requests.iter().map(|r| r.function).collect::<Vec<_>>(),
            [1, 0]
        );
        assert_eq!(some.without_idle_functions(), some);
    }

    #[test]
    fn traces_come_to_share_their_functions() {
        let all = trace(&[(0, 0, 1), (1, 1, 1), (2, 2, 1)]);
        let mut one = all.of_functions(&[0, 2]);
        let mut other = all.of_functions(&[1, 2]);
        share_functions(&mut [&mut one, &mut other]);
        assert_eq!(one.functions, ["f0", "f2", "f1"]);
        assert_eq!(one.functions, other.functions);
        assert_eq!(other.requests[0].function, 2);
        assert_eq!(other.requests[1].function, 1);
    }

    /// Functions that are asked for in bursts now and then.
    fn bursty(functions: u32, seed: u64) -> Trace {
        use rand::RngExt;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let second = 1_000_000_000u64;
        let mut requests = Vec::new();
        for function in 0..functions {
            for _ in 0..6 {
                let start = rng.random_range(0..1000 * second);
                for _ in 0..rng.random_range(5..15) {
                    let arrival_ns = (start + rng.random_range(0..second)).min(1000 * second - 1);
                    requests.push((arrival_ns, function, 1_000_000));
                }
            }
        }
        requests.sort_unstable();
        Trace {
            duration_ns: 1000 * second,
            ..trace(&requests)
        }
    }

    #[test]
    fn sampling_functions_keeps_burstiness_where_dropping_requests_would_not() {
        let second = 1_000_000_000;
        let (mut kept, mut thinned, runs) = (0.0, 0.0, 8);
        for seed in 0..runs {
            let all = bursty(400, seed);
            let before = dispersion(&all, second).unwrap();
            let tenth = all.cpu_ns() as f64 / NS_PER_S / 10.0;
            let chosen = choose_functions(&all.cpu_s_by_function(), Some(tenth), None, seed);
            let some = all.of_functions(&chosen);
            let share = some.requests.len() as f64 / all.requests.len() as f64;
            assert!((0.08..=0.1).contains(&share), "{share}");
            kept += dispersion(&some, second).unwrap() / before / runs as f64;
            let every_tenth = Trace {
                requests: all.requests.iter().step_by(10).copied().collect(),
                ..all.clone()
            };
            thinned += dispersion(&every_tenth, second).unwrap() / before / runs as f64;
        }
        assert!((0.85..1.15).contains(&kept), "{kept}");
        assert!(thinned < 0.4, "{thinned}");
    }

    #[test]
    fn stretching_keeps_burstiness() {
        let all = bursty(50, 1);
        let before = dispersion(&all, 1_000_000_000).unwrap();
        let slower = all.at_load(all.load(1) / 4.0, 1, None);
        let after = dispersion(&slower, 4_000_000_000).unwrap();
        assert!((after / before - 1.0).abs() < 1e-6, "{before} {after}");
    }

    proptest! {
        #[test]
        fn any_trace_is_brought_to_any_load(
            mut requests in prop::collection::vec((0u64..1000, 0u32..5, 1u64..1_000_000), 1..50),
            load in 0.01..3.0f64,
            cpus in 1u32..64,
            longest_ns in prop::option::of(1u64..10_000_000),
        ) {
            requests.sort_unstable();
            let trace = trace(&requests);
            let fitted = trace.at_load(load, cpus, longest_ns);
            prop_assert!(!fitted.requests.is_empty());
            prop_assert!(fitted.requests.is_sorted_by_key(|r| r.arrival_ns));
            prop_assert!(fitted.requests.iter().all(|r| r.arrival_ns <= fitted.duration_ns + 1));
            let rounding = load / fitted.duration_ns.max(1) as f64;
            prop_assert!((fitted.load(cpus) - load).abs() <= rounding);
        }
    }
}
