// SPDX-License-Identifier: GPL-2.0-only
//! All scenarios, in the order they run.

mod bench_interrupted;
mod bench_oracle;
mod bench_server;
mod bench_versus;
mod containers;
mod cpusets;
mod crowded;
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

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::scenario::Scenario;

/// On every kernel.
pub const ALL: &[Scenario] = &[
    load_unload::SCENARIO,
    killed_daemon::SCENARIO,
    refusals::SCENARIO,
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
    fork_storm::SCENARIO,
    queues::TWO_DOMAINS,
    smt::SCENARIO,
    on_off::SCENARIO,
    observation::SCENARIO,
    learning::SCENARIO,
    same_order::SCENARIO,
    bench_oracle::SCENARIO,
    user_space::ORDER,
    responsiveness::SCENARIO,
    kernel_threads::SCENARIO,
    weights::SCENARIO,
    crowded::SCENARIO,
    moved_starts::SCENARIO,
    lock_holder::SCENARIO,
    stress::SCENARIO,
    hooks::switching::SCENARIO,
    hooks::answers::AT_ONCE,
    hooks::plug::SCENARIO,
    hooks::throttled::SCENARIO,
    hooks::REALTIME,
    hooks::IDENTITY,
    hooks::STATISTICS,
    hooks::refusals::SCENARIO,
    hooks::MOVES,
    hooks::order::SCENARIO,
    hooks::order::NESTED,
    hooks::ties::SCENARIO,
    hooks::answers::SCENARIO,
    hooks::STARVATION,
    hooks::OBSERVATION,
    hooks::LEARNING,
    hooks::bench::SCENARIO,
];

/// What no kernel makes a difference to: on the first of the kernels.
pub const ONCE: &[Scenario] = &[
    lifecycle::SCENARIO,
    statistics::SCENARIO,
    policy_table::SCENARIO,
    containers::SCENARIO,
    bench_interrupted::SCENARIO,
    worker::SCENARIO,
    worker_bench::SCENARIO,
    settings::SCENARIO,
    lost::SCENARIO,
];

/// What takes minutes: only where it is asked for.
pub const SOAKS: &[Scenario] = &[user_space::STORM];

/// Whether any of them runs containers.
pub fn run_containers(scenarios: &[&Scenario]) -> bool {
    scenarios
        .iter()
        .any(|scenario| scenario.name == containers::SCENARIO.name)
}

/// Whether any of them runs functions in Python.
pub fn run_python(scenarios: &[&Scenario]) -> bool {
    scenarios
        .iter()
        .any(|scenario| scenario.name == worker::SCENARIO.name)
}

/// All there are.
pub fn every() -> impl Iterator<Item = &'static Scenario> {
    ALL.iter().chain(ONCE).chain(SOAKS)
}

/// Those to run on a machine with the first of the kernels or another; where
/// some are named, those that are.
pub fn chosen(machine: Machine, filters: &[String], is_first: bool) -> Vec<&'static Scenario> {
    let once = if is_first { ONCE } else { &[] };
    let all: Vec<_> = if filters.is_empty() {
        ALL.iter().chain(once).collect()
    } else {
        every()
            .filter(|scenario| scenario.matches(filters))
            .collect()
    };
    all.into_iter()
        .filter(|scenario| scenario.machine == machine)
        .collect()
}

/// The one of exactly this name.
pub fn named(name: &str) -> Result<&'static Scenario> {
    every()
        .find(|scenario| scenario.name == name)
        .with_context(|| format!("there is no scenario '{name}'"))
}
