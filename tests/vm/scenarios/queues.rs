// SPDX-License-Identifier: GPL-2.0-only
//! Wherever tasks queue, all CPUs work and all tasks end.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::clock::millis;
use crate::cpus;
use crate::daemon::Daemon;
use crate::load;
use crate::machine::Machine;
use crate::proc;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::wait;

const SHORT: usize = 60;
const LONG: usize = 12;

pub const PER_CPU: Scenario = Scenario {
    name: "queues-cpu",
    title: "a mix of functions with a queue for each CPU",
    machine: Machine::Parallel,
    limit: Duration::from_secs(60),
    run: |report| mix(report, &["--queues", "cpu"]),
};

pub const TWO_DOMAINS: Scenario = Scenario {
    name: "two-domains",
    title: "a mix of functions on two cache domains",
    machine: Machine::TwoDomains,
    limit: Duration::from_secs(60),
    run: two_domains,
};

fn two_domains(report: &Report) -> Result<()> {
    ensure!(
        cpus::sharing_cache(0)? != cpus::sharing_cache(3)?,
        "expected a machine with two cache domains, without which this tests nothing"
    );
    mix(report, &[])?;

    // What queues in one domain is taken over by the other when that may run it.
    let function = Cgroup::new("function")?;
    let daemon = Daemon::start(&[])?;
    let hogs = load::hogs(&function, 8)?;
    hogs.iter()
        .try_for_each(|hog| cpus::allow(hog.pid(), &[0, 1]))?;
    sleep(Duration::from_millis(500));
    hogs.iter()
        .try_for_each(|hog| cpus::allow(hog.pid(), &[0, 1, 2, 3]))?;
    for cpu in 0..4 {
        wait::until(
            &format!("a task on CPU {cpu}"),
            Duration::from_secs(5),
            || {
                Ok(hogs
                    .iter()
                    .any(|hog| proc::last_cpu(hog.pid()).is_ok_and(|on| on == cpu)))
            },
        )?;
    }
    daemon.stop()
}

fn mix(report: &Report, options: &[&str]) -> Result<()> {
    let (short, long) = (Cgroup::new("short")?, Cgroup::new("long")?);
    let daemon = Daemon::start(options)?;
    let begin = Instant::now();
    let mut tasks = load::start(&long, LONG, Duration::from_millis(250))?;
    tasks.extend(load::start(&short, SHORT, Duration::from_millis(10))?);
    let ended = load::finish(tasks)?;
    let took = begin.elapsed();

    let cpu: Duration = ended.iter().map(|ended| ended.cpu).sum();
    let share = cpu.as_secs_f64() / took.as_secs_f64();
    report.note(format!("{:.0} ms, {share:.1} CPUs busy", millis(took)));
    ensure!(
        share > 2.5,
        "expected the load to spread over 4 CPUs, and saw {share:.1} busy on average"
    );
    daemon.stop()
}
