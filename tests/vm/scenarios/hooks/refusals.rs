// SPDX-License-Identifier: GPL-2.0-only
//! What the hooks in CFS do not offer is refused.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::daemon::{Daemon, PROGRAM};
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::scenarios::refusals::expect_told;

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-refusals",
    title: "sched_ext refused where there are hooks in CFS instead",
    machine: Machine::Hooks,
    limit: Duration::from_secs(60),
    run,
};

const IMPOSSIBLE: &[(&[&str], &[&str])] = &[
    (&["--engine", "ext"], &["no sched_ext", "6.12"]),
    (&["--partial"], &["--partial", "'cfs'", "leave it out"]),
];

fn run(report: &Report) -> Result<()> {
    for (options, told) in IMPOSSIBLE {
        let mut command = Command::new(PROGRAM);
        command.args(*options);
        expect_told(report, command, told)?;
    }
    let daemon = Daemon::start(&["--engine", "cfs"])?;
    let mut second = Command::new(PROGRAM);
    second.args(["--socket", "/run/other.sock"]);
    expect_told(report, second, &["another scx_alps already runs"])?;
    daemon.stop()
}
