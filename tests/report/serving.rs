// SPDX-License-Identifier: GPL-2.0-only
//! Traces served by ideal schedulers, so that reports have something to show.

use scx_alps::report::Outcome;
use scx_alps::trace::Trace;

/// Who is served.
#[derive(Clone, Copy)]
pub enum Order {
    /// All, at the same speed: what the kernel's fair scheduler approximates.
    Fair,
    /// Those with the least left.
    ShortestFirst,
    /// Those that came first.
    FirstCome,
}

/// One request under way.
struct Job {
    index: usize,
    left_ns: f64,
}

/// Serves a trace; from event to event, and slowly for many requests at once.
pub fn serve(trace: &Trace, cpus: u32, order: Order) -> Vec<Outcome> {
    let cpus = f64::from(cpus);
    let mut outcomes: Vec<Outcome> = trace
        .requests
        .iter()
        .map(|request| Outcome {
            function: request.function,
            arrival_ns: request.arrival_ns,
            first_run_ns: request.arrival_ns,
            end_ns: 0,
            cpu_requested_ns: request.cpu_ns,
            cpu_used_ns: request.cpu_ns,
            pause_ns: 0,
            switches: 3,
        })
        .collect();
    let mut arrivals = trace.requests.iter().enumerate().peekable();
    let mut jobs: Vec<Job> = Vec::new();
    let mut now_ns = 0.0;
    loop {
        match order {
            Order::Fair => {}
            Order::ShortestFirst => jobs.sort_by(|a, b| a.left_ns.total_cmp(&b.left_ns)),
            Order::FirstCome => jobs.sort_by_key(|job| job.index),
        }
        let (served, speed) = match order {
            Order::Fair => (jobs.len(), (cpus / jobs.len() as f64).min(1.0)),
            _ => (jobs.len().min(cpus as usize), 1.0),
        };
        let next_end = jobs[..served]
            .iter()
            .map(|job| now_ns + job.left_ns / speed)
            .fold(f64::INFINITY, f64::min);
        let next_arrival = arrivals
            .peek()
            .map_or(f64::INFINITY, |(_, request)| request.arrival_ns as f64);
        let next_ns = next_end.min(next_arrival);
        if next_ns.is_infinite() {
            return outcomes;
        }
        for job in &mut jobs[..served] {
            job.left_ns -= (next_ns - now_ns) * speed;
        }
        now_ns = next_ns;
        jobs.retain(|job| {
            let done = job.left_ns < 1.0;
            if done {
                outcomes[job.index].end_ns = now_ns as u64;
            }
            !done
        });
        while let Some((index, request)) =
            arrivals.next_if(|(_, request)| request.arrival_ns as f64 <= now_ns)
        {
            jobs.push(Job {
                index,
                left_ns: request.cpu_ns as f64,
            });
        }
    }
}
