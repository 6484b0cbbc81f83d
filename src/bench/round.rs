// SPDX-License-Identifier: GPL-2.0-only
//! A round: one trace, run as real processes under one scheduler.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, anyhow};

use scx_alps::report::{Contender, Distribution, Outcome, Round};
use scx_alps::trace::Trace;

use super::cgroups::Cgroups;
use super::generator::{self, Due, Run};
use super::slot::{Launched, Slot};
use super::worker::Job;

/// A generator later than this on average does not offer the load it should.
const TOLERABLE_LATENESS_MS: f64 = 1.0;

const NS_PER_MS: f64 = 1e6;

/// Runs `trace` under whatever scheduler is in charge, which the caller says
/// is `contender`, and waits at most `drain` for its last requests.
///
/// The round is in the first setting and starts, as its trace did, on the
/// monotonic clock.
///
/// # Errors
/// When it could not be run, or was interrupted.
pub fn run(
    trace: &Trace,
    cgroups: &Cgroups,
    seed: u64,
    contender: Contender,
    drain: Duration,
    interrupted: &AtomicBool,
) -> Result<Round> {
    let run = generator::generate(&jobs(trace, cgroups), drain, interrupted)?;
    let launched: Vec<(u64, Launched)> = trace
        .requests
        .iter()
        .zip(&*run.slots)
        .filter_map(|(request, slot)| Some((run.start_ns + request.arrival_ns, slot.launched()?)))
        .collect();
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let lateness = launched
        .iter()
        .map(|&(due_ns, l)| ms(l.woken_ns.saturating_sub(due_ns)));
    let launch = launched
        .iter()
        .map(|&(_, l)| ms(l.launched_ns.saturating_sub(l.woken_ns)));
    let nothing = || anyhow!("the generator launched nothing");
    let lateness_ms = Distribution::of(lateness.collect()).ok_or_else(nothing)?;
    let launch_ms = Distribution::of(launch.collect()).ok_or_else(nothing)?;

    let outcomes = outcomes(trace, &run);
    let unserved = trace.requests.len() - outcomes.len();
    Ok(Round {
        start_ns: Some(run.start_ns),
        lateness_ms: Some(lateness_ms),
        launch_ms: Some(launch_ms),
        unserved,
        doubts: doubts(&run, lateness_ms.mean, unserved),
        ..Round::new(0, contender, seed, outcomes)
    })
}

/// Why the figures should not be trusted.
fn doubts(run: &Run, lateness_ms: f64, unserved: usize) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(error) = &run.priority_error {
        doubts.push(format!(
            "the generator could not run SCHED_FIFO ({error}); run as root"
        ));
    }
    if lateness_ms > TOLERABLE_LATENESS_MS {
        doubts.push(format!(
            "the generator was {lateness_ms:.2} ms late on average"
        ));
    }
    if unserved > 0 {
        doubts.push(format!(
            "{unserved} requests were not served in time and do not count"
        ));
    }
    doubts
}

fn jobs(trace: &Trace, cgroups: &Cgroups) -> Vec<Due> {
    let job = |function: u32, cpu_ns| {
        let name = trace.functions.get(function as usize);
        Job {
            name: Job::name(name.map_or("", String::as_str)),
            cgroup: cgroups.of(function),
            cpu_ns,
        }
    };
    let due = trace.requests.iter().map(|request| Due {
        arrival_ns: request.arrival_ns,
        job: job(request.function, request.cpu_ns),
    });
    due.collect()
}

fn outcomes(trace: &Trace, run: &Run) -> Vec<Outcome> {
    let since_start = |ns: u64| ns.saturating_sub(run.start_ns);
    let slots = run.slots.iter().map(Slot::served);
    trace
        .requests
        .iter()
        .zip(slots)
        .filter_map(|(request, served)| {
            let served = served?;
            Some(Outcome {
                function: request.function,
                arrival_ns: request.arrival_ns,
                first_run_ns: since_start(served.first_run_ns),
                end_ns: since_start(served.end_ns),
                cpu_requested_ns: request.cpu_ns,
                cpu_used_ns: served.cpu_ns,
                pause_ns: 0,
                switches: served.switches,
            })
        })
        .collect()
}
