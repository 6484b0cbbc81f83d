// SPDX-License-Identifier: GPL-2.0-only
//! The simulated bound beside what was measured: the trace under clairvoyant
//! SRPT without any overhead.

use scx_alps::invocation::FunctionId;
use scx_alps::report::Outcome;
use scx_alps::sim::{self, Job, srpt};
use scx_alps::trace::Trace;

use super::generator::Standby;

/// What would have become of the requests. `pauses_ns`, one for each request,
/// is added to its response as if nobody had used the CPU meanwhile.
pub fn outcomes(trace: &Trace, pauses_ns: &[u64], cpus: u32) -> Vec<Outcome> {
    let simulated = simulate(trace, cpus);
    let requests = trace.requests.iter().zip(pauses_ns);
    requests
        .zip(simulated)
        .map(|((request, &pause_ns), outcome)| Outcome {
            function: request.function,
            arrival_ns: request.arrival_ns,
            first_run_ns: outcome.first_run_ns,
            end_ns: outcome.finish_ns.saturating_add(pause_ns),
            cpu_requested_ns: request.cpu_ns,
            cpu_used_ns: request.cpu_ns,
            pause_ns,
            switches: 0,
        })
        .collect()
}

/// A server that has rested so long begins a new invocation, as ALPS sees it.
const REST_NS: u64 = 10_000_000;

/// Servers enough for the trace under SRPT: of each function so many that
/// each can rest between two requests.
pub fn standby(trace: &Trace, cpus: u32) -> Vec<Standby> {
    let simulated = simulate(trace, cpus);
    let mut standby: Vec<Option<Standby>> = vec![None; trace.functions.len()];
    let mut ends: Vec<Vec<u64>> = vec![Vec::new(); trace.functions.len()];
    for (index, (request, outcome)) in trace.requests.iter().zip(simulated).enumerate() {
        let function = request.function as usize;
        let (Some(ends), Some(standby)) = (ends.get_mut(function), standby.get_mut(function))
        else {
            continue;
        };
        ends.retain(|&end_ns| end_ns > request.arrival_ns);
        ends.push(outcome.finish_ns.saturating_add(REST_NS));
        let at_once = ends.len() as u32;
        let servers = standby.get_or_insert(Standby {
            like: index,
            count: 0,
        });
        servers.count = servers.count.max(at_once);
    }
    standby.into_iter().flatten().collect()
}

fn simulate(trace: &Trace, cpus: u32) -> Vec<sim::Outcome> {
    let jobs: Vec<Job> = trace
        .requests
        .iter()
        .map(|request| Job {
            function: FunctionId::PRIOR,
            arrival_ns: request.arrival_ns,
            cpu_ns: request.cpu_ns,
        })
        .collect();
    srpt::replay(&jobs, cpus as usize, |_| {})
}

#[cfg(test)]
mod tests {
    use scx_alps::trace::Request;

    use super::*;

    fn trace(requests: &[(u64, u32, u64)]) -> Trace {
        let request = |&(arrival_ns, function, cpu_ns): &(u64, u32, u64)| Request {
            arrival_ns,
            function,
            cpu_ns,
        };
        Trace {
            functions: vec!["a".into(), "b".into(), "unused".into()],
            requests: requests.iter().map(request).collect(),
            duration_ns: 100,
        }
    }

    #[test]
    fn the_shortest_goes_first() {
        let trace = trace(&[(0, 0, 10), (1, 1, 2)]);
        let bound = outcomes(&trace, &[0, 5], 1);
        assert_eq!(
            (bound[0].response_ns(), bound[1].response_ns()),
            (12, 2 + 5)
        );
    }

    #[test]
    fn servers_for_all_at_once() {
        let later = 2 * REST_NS;
        let trace = trace(&[(0, 0, 10), (100, 0, 10), (200, 1, 1), (later, 0, 1)]);
        assert_eq!(
            standby(&trace, 2),
            [Standby { like: 0, count: 2 }, Standby { like: 2, count: 1 }]
        );
    }
}
