// SPDX-License-Identifier: GPL-2.0-only
//! Real-time tasks take CPUs away without asking.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin};
use crate::cpus;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::report::Report;
use crate::scenario::Scenario;

/// How long the hogs hold half of the CPUs.
const HELD: Duration = Duration::from_secs(6);

/// What the functions need on the other half: a good second with two CPUs.
const TASKS: usize = 12;
const CPU: Duration = Duration::from_millis(200);
const LIMIT: Duration = Duration::from_secs(4);

pub const SCENARIO: Scenario = Scenario {
    name: "realtime",
    title: "real-time hogs on half of the CPUs, then on all",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(report: &Report) -> Result<()> {
    let function = Cgroup::new("function")?;
    let daemon = Daemon::start(&[])?;

    // Tasks run everywhere when the hogs wake up, so some lose their CPU.
    let hogs = [2, 3].map(|cpu| realtime_hog(cpu, HELD));
    let tasks = load::start(&function, TASKS, CPU)?;
    let begin = Instant::now();
    load::finish(tasks)?;
    let took = begin.elapsed();
    report.note(format!(
        "{:.0} ms for the functions beside the hogs",
        millis(took)
    ));
    ensure!(
        took < LIMIT,
        "expected the functions to be done on the two free CPUs within {LIMIT:?} and saw {took:?}"
    );
    for hog in hogs {
        hog?.finish()?;
    }

    // Nothing can run while they do; afterwards all goes on.
    let tasks = load::start(&function, TASKS, CPU)?;
    let hogs = [0, 1, 2, 3].map(|cpu| realtime_hog(cpu, Duration::from_secs(1)));
    for hog in hogs {
        hog?.finish()?;
    }
    load::finish(tasks)?;
    daemon.stop()
}

/// Takes the CPU from whoever runs there by then.
fn realtime_hog(number: usize, cpu: Duration) -> Result<Child> {
    Child::start(None, || {
        cpus::allow(0, &[number]).expect("the CPU is there");
        policy::set(0, Policy::Fifo(10)).expect("root may be real-time");
        sleep(Duration::from_millis(300));
        spin(cpu);
    })
}
