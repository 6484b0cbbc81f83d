// SPDX-License-Identifier: GPL-2.0-only
//! All scenarios, in the order they run.

mod bench_interrupted;
mod bench_oracle;
mod bench_server;
mod bench_versus;
mod containers;
mod cpusets;
mod fork_storm;
mod hooks;
mod hotplug;
mod identity;
mod kernel_threads;
mod killed_daemon;
mod learning;
mod lifecycle;
mod load_unload;
mod lock_holder;
mod lost;
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
mod same_order;
mod settings;
mod smt;
mod starvation;
mod statistics;
mod stress;
mod user_space;
mod weights;
mod worker;
mod worker_bench;

use crate::machine::Machine;
use crate::scenario::Scenario;

pub const ALL: &[Scenario] = &[
    load_unload::SCENARIO,
    lifecycle::SCENARIO,
    killed_daemon::SCENARIO,
    refusals::SCENARIO,
    statistics::SCENARIO,
    lost::SCENARIO,
    policy_table::SCENARIO,
    identity::SCENARIO,
    containers::SCENARIO,
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
    worker::SCENARIO,
    worker_bench::SCENARIO,
    fork_storm::SCENARIO,
    user_space::STORM,
    queues::TWO_DOMAINS,
    smt::SCENARIO,
    on_off::SCENARIO,
    observation::SCENARIO,
    learning::SCENARIO,
    same_order::SCENARIO,
    settings::SCENARIO,
    bench_oracle::SCENARIO,
    user_space::ORDER,
    responsiveness::SCENARIO,
    kernel_threads::SCENARIO,
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

/// Whether any of them runs containers.
pub fn run_containers(scenarios: &[&Scenario]) -> bool {
    scenarios
        .iter()
        .any(|scenario| scenario.name == containers::SCENARIO.name)
}

/// Those to run on a machine: all, or those that are named.
pub fn chosen(machine: Machine, filters: &[String]) -> impl Iterator<Item = &'static Scenario> {
    ALL.iter()
        .filter(move |scenario| scenario.machine == machine && scenario.matches(filters))
}
