// SPDX-License-Identifier: GPL-2.0-only
//! Runs for tests of reports.

use super::{Conditions, Machine, Outcome, Round, Run, Setting};

pub const MS: u64 = 1_000_000;

/// A call that arrives, takes so long and asks for so much CPU time, in ms.
pub fn outcome(function: u32, arrival_ms: u64, response_ms: u64, cpu_ms: u64) -> Outcome {
    Outcome {
        function,
        arrival_ns: arrival_ms * MS,
        first_run_ns: arrival_ms * MS,
        end_ns: (arrival_ms + response_ms) * MS,
        cpu_requested_ns: cpu_ms * MS,
        cpu_used_ns: cpu_ms * MS,
        pause_ns: 0,
        switches: 1000,
    }
}

pub fn setting() -> Setting {
    Setting {
        trace: "mixed".into(),
        layout: "a cgroup a function, cpu controller on".into(),
        load: 0.9,
        cpus: 2,
        seconds: 20.0,
        functions: ["short", "unused", "long"].map(String::from).into(),
    }
}

pub fn run(rounds: Vec<Round>) -> Run {
    Run {
        conditions: Conditions {
            version: "scx_alps 0.1.0".into(),
            command: "scx_alps bench --load 0.9".into(),
            machine: Some(Machine {
                kernel_release: "6.18.15".into(),
                cpus: 2,
            }),
        },
        settings: vec![setting()],
        rounds,
        bound: None,
    }
}
