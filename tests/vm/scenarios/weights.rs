// SPDX-License-Identifier: GPL-2.0-only
//! Of two equal functions the one goes first that the administrator favours.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin_until};
use crate::known;
use crate::load;
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};

/// Invocations of each function in a batch, and what each needs.
const EACH: usize = 8;
const CPU: Duration = Duration::from_millis(50);

pub const SCENARIO: Scenario = Scenario {
    name: "weights",
    title: "nice and cpu.weight decide between equal functions",
    machine: Machine::Exact,
    limit: Duration::from_secs(30),
    run,
};

/// When each invocation was done, in nanoseconds since the batch began.
struct Ends([[AtomicU64; EACH]; 2]);

// SAFETY: all fields are atomic integers.
unsafe impl Board for Ends {}

fn run(report: &Report) -> Result<()> {
    let functions = [Cgroup::new("favoured")?, Cgroup::new("other")?];
    let daemon = known::start(&[("favoured", CPU), ("other", CPU)], &[])?;
    let nice = batch(&functions, [0, 10])?;
    functions[0].set("cpu.weight", "1000")?;
    functions[1].set("cpu.weight", "10")?;
    let weight = batch(&functions, [0, 0])?;
    for (what, [favoured, other]) in [("nice 0 and 10", nice), ("cpu.weight 1000 and 10", weight)] {
        report.note(format!(
            "{what}: done after {:.0} and {:.0} ms on average",
            millis(favoured),
            millis(other)
        ));
        // Side by side both would take as long; strictly one after the other
        // the second takes three times as long.
        ensure!(
            favoured * 2 < other,
            "expected the favoured function to go first by {what}, and saw {favoured:?} and \
             {other:?} until they were done on average"
        );
    }
    daemon.stop()
}

/// Start both functions' invocations at once, each with its nice value, and
/// say when they were done on average.
fn batch(functions: &[Cgroup; 2], nice: [i32; 2]) -> Result<[Duration; 2]> {
    let ends = Shared::<Ends>::new()?;
    let launcher = Child::start(None, || {
        launch(functions, nice, &ends).expect("it launches")
    })?;
    launcher.finish()?;
    Ok([0, 1].map(|which| {
        let sum: u64 = ends.0[which].iter().map(|end| end.load(Relaxed)).sum();
        Duration::from_nanos(sum / EACH as u64)
    }))
}

fn launch(functions: &[Cgroup; 2], nice: [i32; 2], ends: &Ends) -> Result<()> {
    // All must wait before the first gets far.
    policy::set(0, Policy::Fifo(50))?;
    let begin = Instant::now();
    let mut children = Vec::new();
    for number in 0..EACH {
        for which in [1, 0] {
            let child = Child::start(Some(&functions[which]), || {
                spin_until(CPU);
                ends.0[which][number].store(begin.elapsed().as_nanos() as u64, Relaxed);
            })?;
            // SAFETY: no memory is involved.
            let set = unsafe {
                libc::setpriority(libc::PRIO_PROCESS, child.pid() as libc::id_t, nice[which])
            };
            Errno::result(set).context("cannot set a nice value")?;
            children.push(child);
        }
    }
    load::finish(children).map(drop)
}
