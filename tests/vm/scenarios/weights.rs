// SPDX-License-Identifier: GPL-2.0-only
//! Of two equal functions the one goes first that the administrator favours.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin_until};
use crate::cpus;
use crate::known;
use crate::load;
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::proc;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};

/// Invocations of each function in a batch, and what each needs.
const EACH: usize = 8;
const CPU: Duration = Duration::from_millis(50);

/// Hogs of each function, on two CPUs, and how long they compete.
const HOGS: usize = 2;
const COMPETE: Duration = Duration::from_secs(3);

/// How long a light hog has a CPU to itself, and then at most none of it.
const ALONE: Duration = Duration::from_secs(4);
const WITHOUT: Duration = Duration::from_millis(1500);

pub const SCENARIO: Scenario = Scenario {
    name: "weights",
    title: "nice and cpu.weight decide between equal functions",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

/// When each invocation was done, in nanoseconds since the batch began.
struct Ends([[AtomicU64; EACH]; 2]);

// SAFETY: all fields are atomic integers.
unsafe impl Board for Ends {}

fn run(report: &Report) -> Result<()> {
    let functions = [Cgroup::new("favoured")?, Cgroup::new("other")?];
    let (pod, nested) = (Cgroup::new("pod")?, "pod/nested");
    let known = [("favoured", CPU), ("other", CPU), (nested, CPU)];
    let daemon = known::start(&known, &[])?;
    alone_before(report, &functions)?;
    let nice = batch(&functions, [0, 10])?;
    let nice_share = share(&functions, [0, 5])?;
    functions[0].set("cpu.weight", "1000")?;
    functions[1].set("cpu.weight", "10")?;
    let weight = batch(&functions, [0, 0])?;
    functions[0].set("cpu.weight", "300")?;
    functions[1].set("cpu.weight", "100")?;
    let weight_share = share(&functions, [0, 0])?;

    // Whatever it gives itself, it is in a pod that has little.
    let [favoured, _] = functions;
    pod.set("cpu.weight", "10")?;
    pod.set("cgroup.subtree_control", "+cpu")?;
    let nested = Cgroup::new(nested)?;
    nested.set("cpu.weight", "10000")?;
    let within = batch(&[favoured, nested], [0, 0])?;
    for (what, share) in [
        ("nice 0 and 5", nice_share),
        ("cpu.weight 300 and 100", weight_share),
    ] {
        report.note(format!(
            "{what}: the hogs of one had {share:.1} times the other's"
        ));
        ensure!(
            (2.0..4.5).contains(&share),
            "expected hogs to share the CPUs about three to one by {what}, and saw {share}"
        );
    }
    for (what, [favoured, other]) in [
        ("nice 0 and 10", nice),
        ("cpu.weight 1000 and 10", weight),
        ("cpu.weight 300 and, in a cgroup of 10, 10000", within),
    ] {
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

/// Who was alone on its CPU is not made to wait for what it had of it then.
fn alone_before(report: &Report, functions: &[Cgroup; 2]) -> Result<()> {
    let [heavy, light] = [(&functions[0], 0), (&functions[1], 1)].map(|(function, cpu)| {
        let hog = Child::start(Some(function), || spin_until(Duration::from_secs(3600)))?;
        cpus::allow(hog.pid(), &[cpu])?;
        anyhow::Ok(hog)
    });
    let (heavy, light) = (heavy?, light?);
    set_nice(&light, 5)?;
    sleep(ALONE);
    cpus::allow(heavy.pid(), &[1])?;
    let before = proc::cpu(light.pid())?;
    sleep(WITHOUT);
    let had = proc::cpu(light.pid())? - before;
    report.note(format!(
        "nice 5, alone for {ALONE:?}: {:.0} ms in the {WITHOUT:?} after another came",
        millis(had)
    ));
    ensure!(
        had > Duration::from_millis(50),
        "expected a hog of nice 5 to get CPU time within {WITHOUT:?} after another came, and saw \
         {had:?}"
    );
    Ok(())
}

/// How many times as much CPU time the first function's hogs get.
fn share(functions: &[Cgroup; 2], nice: [i32; 2]) -> Result<f64> {
    let mut hogs = Vec::new();
    for (function, nice) in functions.iter().zip(nice) {
        let of_one = load::hogs(function, HOGS)?;
        for hog in &of_one {
            set_nice(hog, nice)?;
        }
        hogs.push(of_one);
    }
    let used = || -> Result<Vec<Duration>> {
        let used = |hogs: &Vec<Child>| hogs.iter().map(|hog| proc::cpu(hog.pid())).sum();
        hogs.iter().map(used).collect()
    };
    // What is expected of them must have grown beyond all bounds first.
    sleep(COMPETE);
    let before = used()?;
    sleep(COMPETE);
    let after = used()?;
    let had = |which: usize| (after[which] - before[which]).as_secs_f64();
    Ok(had(0) / had(1))
}

fn set_nice(child: &Child, nice: i32) -> Result<()> {
    // SAFETY: no memory is involved.
    let set = unsafe { libc::setpriority(libc::PRIO_PROCESS, child.pid() as libc::id_t, nice) };
    Errno::result(set)
        .map(drop)
        .context("cannot set a nice value")
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
            set_nice(&child, nice[which])?;
            children.push(child);
        }
    }
    load::finish(children).map(drop)
}
