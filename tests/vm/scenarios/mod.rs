// SPDX-License-Identifier: GPL-2.0-only
//! All scenarios, in the order they run.

mod bench_interrupted;
mod bench_oracle;
mod bench_server;
mod bench_versus;
mod cpusets;
mod fork_storm;
mod hooks;
mod hotplug;
mod identity;
mod killed_daemon;
mod learning;
mod lifecycle;
mod load_unload;
mod lock_holder;
mod moved_starts;
mod moves;
mod observation;
mod on_off;
mod partial;
mod policy_table;
mod queues;
mod realtime;
mod refusals;
mod responsiveness;
mod starvation;
mod statistics;
mod stress;
mod weights;

use crate::machine::Machine;
use crate::scenario::Scenario;

pub const ALL: &[Scenario] = &[
    load_unload::SCENARIO,
    lifecycle::SCENARIO,
    killed_daemon::SCENARIO,
    refusals::SCENARIO,
    statistics::SCENARIO,
    policy_table::SCENARIO,
    identity::SCENARIO,
    moves::SCENARIO,
    partial::SCENARIO,
    cpusets::SCENARIO,
    hotplug::SCENARIO,
    realtime::SCENARIO,
    starvation::SCENARIO,
    starvation::RESCUE,
    queues::PER_CPU,
    bench_server::SCENARIO,
    bench_versus::SCENARIO,
    bench_interrupted::SCENARIO,
    fork_storm::SCENARIO,
    queues::TWO_DOMAINS,
    on_off::SCENARIO,
    observation::SCENARIO,
    learning::SCENARIO,
    bench_oracle::SCENARIO,
    responsiveness::SCENARIO,
    weights::SCENARIO,
    moved_starts::SCENARIO,
    lock_holder::SCENARIO,
    stress::SCENARIO,
    hooks::switching::SCENARIO,
    hooks::answers::SCENARIO,
    hooks::plug::SCENARIO,
    hooks::throttled::SCENARIO,
    hooks::REALTIME,
    hooks::STARVATION,
    hooks::IDENTITY,
    hooks::MOVES,
    hooks::order::SCENARIO,
    hooks::order::NESTED,
    hooks::ties::SCENARIO,
    hooks::OBSERVATION,
    hooks::LEARNING,
];

/// Those to run on a machine: all, or those that are named.
pub fn chosen(machine: Machine, filters: &[String]) -> impl Iterator<Item = &'static Scenario> {
    ALL.iter()
        .filter(move |scenario| scenario.machine == machine && scenario.matches(filters))
}
