// SPDX-License-Identifier: GPL-2.0-only
//! On kernels with the hooks in CFS instead of sched_ext.

pub mod answers;
pub mod bench;
pub mod order;
pub mod plug;
pub mod refusals;
pub mod switching;
pub mod throttled;
pub mod ties;

use super::{identity, learning, moves, observation, realtime, starvation, statistics};
use crate::cgroup::Cgroup;
use crate::machine::Machine;
use crate::scenario::Scenario;

pub const REALTIME: Scenario = Scenario {
    name: "hooks-realtime",
    machine: Machine::Hooks,
    ..realtime::SCENARIO
};

/// On one CPU: CFS's load balancer would give the long one another to itself.
pub const STARVATION: Scenario = Scenario {
    name: "hooks-starvation",
    machine: Machine::HooksExact,
    run: |report| {
        let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
        for cgroup in [&short, &long] {
            cgroup.set("cpuset.cpus", "0")?;
        }
        (starvation::SCENARIO.run)(report)
    },
    ..starvation::SCENARIO
};

pub const IDENTITY: Scenario = Scenario {
    name: "hooks-identity",
    machine: Machine::Hooks,
    ..identity::SCENARIO
};

pub const MOVES: Scenario = Scenario {
    name: "hooks-moves",
    machine: Machine::Hooks,
    ..moves::SCENARIO
};

pub const STATISTICS: Scenario = Scenario {
    name: "hooks-statistics",
    machine: Machine::Hooks,
    ..statistics::SCENARIO
};

pub const OBSERVATION: Scenario = Scenario {
    name: "hooks-observation",
    machine: Machine::HooksExact,
    ..observation::SCENARIO
};

pub const LEARNING: Scenario = Scenario {
    name: "hooks-learning",
    machine: Machine::HooksExact,
    // CFS is not as slow to let a short one run as EEVDF is.
    run: |report| learning::run(report, 1.5),
    ..learning::SCENARIO
};
