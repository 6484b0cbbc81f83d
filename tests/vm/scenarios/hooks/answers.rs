// SPDX-License-Identifier: GPL-2.0-only
//! Whatever a program answers, the machine survives and everybody runs.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin_until};
use crate::cpus;
use crate::hook::Answer;
use crate::machine::Machine;
use crate::proc;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};
use crate::wait;

const BIAS: &str = "bpf_cfs_entity_bias";
const TICK: &str = "bpf_cfs_preempt_tick";
const WAKEUP: &str = "bpf_cfs_preempt_wakeup";

const PREEMPT: i32 = 1;
const KEEP: i32 = 2;

/// What is attached together.
const ANSWERS: &[&[(&str, i32)]] = &[
    &[(BIAS, -libc::EINVAL)],
    &[(BIAS, i32::MAX)],
    &[(BIAS, i32::MIN)],
    &[(TICK, -libc::ENOMEM), (WAKEUP, -libc::ENOMEM)],
    &[(TICK, i32::MAX), (WAKEUP, 3)],
    &[(TICK, PREEMPT)],
    &[(TICK, PREEMPT), (WAKEUP, PREEMPT)],
    &[(WAKEUP, KEEP)],
    &[(TICK, KEEP)],
    &[(TICK, KEEP), (WAKEUP, KEEP)],
];

/// For so long each set of answers is in force.
const HELD: Duration = Duration::from_secs(2);

/// The largest bias, and the turns of the others beside it on a CPU.
const BIAS_FADES: Duration = Duration::from_secs(10);

/// Beside the hogs.
const SHORT: Duration = Duration::from_millis(2);

/// Two hogs share a CPU, for some of the time with a short one. Should KEEP be
/// honoured without end one of them would have it all; by turns of 100 ms each has
/// a third or more, up to a turn or two.
const LEAST: Duration = Duration::from_millis(400);

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-answers",
    title: "everybody runs, whatever hooks in CFS answer",
    machine: Machine::HooksExact,
    limit: Duration::from_secs(120),
    run: |report| run(report, LEAST),
};

/// Where CPUs really run at once; how much each gets to run is then the host's
/// business, too.
pub const AT_ONCE: Scenario = Scenario {
    name: "hooks-survival",
    title: "wrong, absurd and constant answers of hooks in CFS are survived",
    machine: Machine::Hooks,
    limit: Duration::from_secs(240),
    run: |report| run(report, Duration::ZERO),
};

fn run(report: &Report, bound: Duration) -> Result<()> {
    let (short, one, other) = (
        Cgroup::new("short")?,
        Cgroup::new("one")?,
        Cgroup::new("other")?,
    );
    let hogs = [&one, &other, &one, &other]
        .iter()
        .enumerate()
        .map(|(place, cgroup)| hog(cgroup, place / 2))
        .collect::<Result<Vec<_>>>()?;
    let stream = Stream::start(&short, SHORT, Arrivals::Always(1), Entry::Born)?;
    sleep(Duration::from_millis(200));

    for answers in ANSWERS {
        let attached = answers
            .iter()
            .map(|&(hook, answer)| Answer::attach(hook, answer))
            .collect::<Result<Vec<_>>>()?;
        let (ended, before) = (stream.ended(), cpu_times(&hogs)?);
        sleep(HELD);
        let had: Vec<Duration> = cpu_times(&hogs)?
            .into_iter()
            .zip(before)
            .map(|(now, before)| now - before)
            .collect();
        let ended = stream.ended() - ended;
        drop(attached);
        let least = had.iter().min().copied().unwrap_or_default();
        report.note(format!(
            "{answers:?}: {ended} short ones ended, each hog had {:.0} ms or more",
            millis(least)
        ));
        ensure!(
            ended > 0 && least > bound,
            "expected everybody to run with {answers:?} and saw {ended} short ones end and hogs \
             have {had:?} of {HELD:?}"
        );
        // Who waits keeps its bias until it is picked.
        let before = cpu_times(&hogs)?;
        wait::until("everybody to run without", BIAS_FADES, || {
            let now = cpu_times(&hogs)?;
            Ok(now.iter().zip(&before).all(|(now, before)| now > before))
        })?;
    }
    stream.stop()?;
    Ok(())
}

/// Endless work on one CPU.
fn hog(cgroup: &Cgroup, cpu: usize) -> Result<Child> {
    Child::start(Some(cgroup), || {
        cpus::allow(0, &[cpu]).expect("the CPU is there");
        spin_until(Duration::from_secs(3600));
    })
}

fn cpu_times(hogs: &[Child]) -> Result<Vec<Duration>> {
    hogs.iter().map(|hog| proc::cpu(hog.pid())).collect()
}
