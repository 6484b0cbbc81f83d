// SPDX-License-Identifier: GPL-2.0-only
//! What is offered in a round: a trace, and how its invocations behave
//! beside using the CPU.

use scx_alps::report::Outcome;
use scx_alps::trace::Trace;

use super::bound;
use super::cgroups::Cgroups;
use super::generator::{Due, Run, Standby, Telling};
use super::pauses::Pauses;
use super::slot::Slot;
use super::worker::Job;

/// A trace to be run.
pub struct Offer {
    pub seed: u64,
    pub trace: Trace,
    /// Each request's pause; 0 for none.
    pub pauses_ns: Vec<u64>,
}

impl Offer {
    pub fn new(seed: u64, trace: Trace, pauses: &Pauses) -> Self {
        Self {
            seed,
            pauses_ns: pauses.draw(seed, trace.requests.len()),
            trace,
        }
    }

    /// Its jobs, in the order of their arrival. Processes are called after
    /// their functions, or after the CPU time they are told to take.
    pub fn due(&self, cgroups: &Cgroups, told: Telling) -> Vec<Due> {
        let requests = self.trace.requests.iter().zip(&self.pauses_ns);
        requests
            .map(|(request, &pause_ns)| {
                let function = self.trace.functions.get(request.function as usize);
                let name = match told {
                    Telling::Names => Job::telling_name(request.cpu_ns),
                    Telling::Nobody | Telling::Map => None,
                };
                Due {
                    arrival_ns: request.arrival_ns,
                    function: request.function,
                    job: Job {
                        name: name
                            .unwrap_or_else(|| Job::name(function.map_or("", String::as_str))),
                        cgroup: cgroups.of(request.function),
                        cpu_ns: request.cpu_ns,
                        pause_ns,
                    },
                }
            })
            .collect()
    }

    /// Servers to be there beforehand on `cpus` CPUs.
    pub fn standby(&self, cpus: u32) -> Vec<Standby> {
        bound::standby(&self.trace, cpus)
    }

    /// What would have become of it under clairvoyant SRPT without overhead.
    pub fn bound(&self, cpus: u32) -> Vec<Outcome> {
        bound::outcomes(&self.trace, &self.pauses_ns, cpus)
    }

    /// What became of it.
    pub fn outcomes(&self, run: &Run) -> Vec<Outcome> {
        let since_start = |ns: u64| ns.saturating_sub(run.start_ns);
        let requests = self.trace.requests.iter().zip(&self.pauses_ns);
        requests
            .zip(run.slots.iter().map(Slot::served))
            .filter_map(|((request, &pause_ns), served)| {
                let served = served?;
                Some(Outcome {
                    function: request.function,
                    arrival_ns: request.arrival_ns,
                    first_run_ns: since_start(served.first_run_ns),
                    end_ns: since_start(served.end_ns),
                    cpu_requested_ns: request.cpu_ns,
                    cpu_used_ns: served.cpu_ns,
                    pause_ns,
                    switches: served.switches,
                })
            })
            .collect()
    }
}
