// SPDX-License-Identifier: GPL-2.0-only
//! A round: one trace, run as real processes under one scheduler.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, anyhow};
use serde::Serialize;

use scx_alps::report::{Distribution, Outcome};
use scx_alps::trace::Trace;

use super::cgroups::Cgroups;
use super::generator::{self, Due, Run};
use super::slot::{Launched, Slot};
use super::toggle::Scheduler;
use super::worker::Job;

/// A generator later than this on average does not offer the load it should.
const TOLERABLE_LATENESS_MS: f64 = 1.0;

const NS_PER_MS: f64 = 1e6;

/// What a round came to.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub seed: u64,
    pub scheduler: Scheduler,
    /// From when a request was due to when the generator turned to it.
    pub lateness_ms: Distribution,
    /// How long the generator took to start a process.
    pub launch_ms: Distribution,
    /// Requests not served by the time limit.
    pub unserved: usize,
    /// Why its figures should not be trusted; empty if they can be.
    pub doubts: Vec<String>,
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

impl Round {
    /// Runs `trace` under whatever scheduler is in charge, which the caller
    /// says is `scheduler`, and waits at most `drain` for its last requests.
    ///
    /// # Errors
    /// When it could not be run, or was interrupted.
    pub fn run(
        trace: &Trace,
        cgroups: &Cgroups,
        seed: u64,
        scheduler: Scheduler,
        drain: Duration,
        interrupted: &AtomicBool,
    ) -> Result<Self> {
        let run = generator::generate(&jobs(trace, cgroups), drain, interrupted)?;
        let launched: Vec<(u64, Launched)> = trace
            .requests
            .iter()
            .zip(&*run.slots)
            .filter_map(|(request, slot)| {
                Some((run.start_ns + request.arrival_ns, slot.launched()?))
            })
            .collect();
        let ms = |ns: u64| ns as f64 / NS_PER_MS;
        let lateness = launched
            .iter()
            .map(|&(due_ns, l)| ms(l.woken_ns.saturating_sub(due_ns)));
        let launch = launched
            .iter()
            .map(|&(_, l)| ms(l.launched_ns.saturating_sub(l.woken_ns)));
        let nothing = || anyhow!("the generator launched nothing");

        let outcomes = outcomes(trace, &run);
        let mut round = Self {
            seed,
            scheduler,
            lateness_ms: Distribution::of(lateness.collect()).ok_or_else(nothing)?,
            launch_ms: Distribution::of(launch.collect()).ok_or_else(nothing)?,
            unserved: trace.requests.len() - outcomes.len(),
            doubts: Vec::new(),
            outcomes,
        };
        round.find_doubts(&run);
        Ok(round)
    }

    fn find_doubts(&mut self, run: &Run) {
        if let Some(error) = &run.priority_error {
            self.doubts.push(format!(
                "the generator could not run SCHED_FIFO ({error}); run as root"
            ));
        }
        if self.lateness_ms.mean > TOLERABLE_LATENESS_MS {
            self.doubts.push(format!(
                "the generator was {:.2} ms late on average",
                self.lateness_ms.mean
            ));
        }
        if self.unserved > 0 {
            self.doubts.push(format!(
                "{} requests were not served in time and do not count",
                self.unserved
            ));
        }
    }
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
                switches: served.switches,
            })
        })
        .collect()
}
