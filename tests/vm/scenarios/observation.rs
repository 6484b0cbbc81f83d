// SPDX-License-Identifier: GPL-2.0-only
//! What is observed is what happened, whichever scheduler is in force.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::{Child, Ended};
use crate::clock::{spin, spin_until};
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::stream::{Arrivals, Entry, Stream};
use crate::{counters, load, wait};

/// How far observed CPU time may be off.
const TOLERANCE: f64 = 0.01;

const PROCESSES: usize = 10;
const THREADS: u32 = 3;

/// A server's bursts, and sleeps above and below the idle gap of 10 ms.
const BURSTS: u32 = 8;
const BURST: Duration = Duration::from_millis(3);
const GAP: Duration = Duration::from_millis(15);
const PAUSE: Duration = Duration::from_millis(7);

pub const SCENARIO: Scenario = Scenario {
    name: "observation",
    title: "invocations and their CPU time as they were, on and off",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

fn run(report: &Report) -> Result<()> {
    let daemon = Daemon::start(&["--interval", "100ms"])?;
    for mode in ["on", "off"] {
        if mode == "off" {
            daemon.off()?;
        }
        let observer = Observer {
            daemon: &daemon,
            report,
            mode,
        };
        observer.single_threads()?;
        observer.many_threads()?;
        observer.server("gaps", GAP, u64::from(BURSTS))?;
        observer.server("pauses", PAUSE, 1)?;
        observer.moved()?;
    }
    daemon.stop()
}

struct Observer<'a> {
    daemon: &'a Daemon,
    report: &'a Report,
    mode: &'static str,
}

impl Observer<'_> {
    fn single_threads(&self) -> Result<()> {
        let function = self.function("single")?;
        let ended = self.expect_invocations(PROCESSES as u64, "processes", || {
            load::finish(load::start(
                &function,
                PROCESSES,
                Duration::from_millis(40),
            )?)
        })?;
        self.expect_cpu(&function, &ended, |ended| ended.leader_cpu)
    }

    fn many_threads(&self) -> Result<()> {
        let function = self.function("threads")?;
        let work = || {
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| spin_until(Duration::from_millis(20)));
                }
            });
        };
        let ended = self.expect_invocations(PROCESSES as u64, "processes with threads", || {
            let processes = (0..PROCESSES)
                .map(|_| Child::start(Some(&function), work))
                .collect::<Result<_>>()?;
            load::finish(processes)
        })?;
        self.expect_cpu(&function, &ended, |ended| ended.cpu)
    }

    /// One process that works in bursts and lives on; `sleep` between bursts.
    fn server(&self, name: &str, sleep: Duration, invocations: u64) -> Result<()> {
        let function = self.function(name)?;
        let server = self.expect_invocations(invocations, name, || {
            let server = Child::start(Some(&function), || {
                spin(BURST);
                for _ in 1..BURSTS {
                    thread::sleep(sleep);
                    spin(BURST);
                }
                thread::sleep(Duration::from_secs(600));
            })?;
            thread::sleep(BURSTS * (BURST + sleep) + Duration::from_millis(300));
            Ok(server)
        })?;
        let mean = self.daemon.function(function.name())?.time("cpu_mean_ns")?;
        let expected = BURST * BURSTS / invocations as u32;
        ensure!(
            mean >= expected && mean < expected * 3 / 2,
            "expected invocations of about {expected:?} in '{}' and saw {mean:?}",
            function.name()
        );
        // To be killed wakes it up once more.
        self.expect_invocations(1, "a server's end", || {
            drop(server);
            Ok(())
        })
    }

    /// Processes that get into their cgroup after they were born.
    fn moved(&self) -> Result<()> {
        let function = self.function("moved")?;
        let mut count = 0;
        let pace = Arrivals::Every(Duration::from_millis(4));
        // The kernel takes its time over the first move; a process that has
        // ended by then stays where it was.
        let first = Stream::start(&function, Duration::from_millis(1), pace, Entry::Moved)?;
        thread::sleep(Duration::from_millis(80));
        first.stop()?;
        self.daemon.await_round()?;
        let before = counters::read()?["invocations"];
        let samples_before = self.daemon.function(function.name())?.count("samples")?;
        let stream = Stream::start(&function, Duration::from_millis(1), pace, Entry::Moved)?;
        thread::sleep(Duration::from_millis(80));
        count += stream.stop()?.count;
        self.daemon.await_round()?;
        let seen = counters::read()?["invocations"] - before;
        let row = self.daemon.function(function.name())?;
        ensure!(
            // The last one may be stopped before it has been moved.
            (count - 1..=count).contains(&seen) && row.count("samples")? - samples_before == seen,
            "with ALPS {}: expected {count} invocations of processes that were moved into their \
             cgroup, and saw {seen}, of which these count for the function: {row:?}",
            self.mode
        );
        Ok(())
    }

    fn function(&self, name: &str) -> Result<Cgroup> {
        Cgroup::new(&format!("{name}-{}", self.mode))
    }

    /// Exactly so many invocations are observed while `work` is done.
    fn expect_invocations<T>(
        &self,
        count: u64,
        what: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let before = counters::read()?["invocations"];
        let done = work()?;
        let mut seen = 0;
        let complete = wait::until("the last to be observed", Duration::from_secs(3), || {
            seen = counters::read()?["invocations"] - before;
            Ok(seen >= count)
        });
        self.daemon.await_round()?;
        seen = counters::read()?["invocations"] - before;
        ensure!(
            complete.is_ok() && seen == count,
            "with ALPS {}: expected {count} invocations ({what}) and saw {seen}",
            self.mode
        );
        Ok(done)
    }

    fn expect_cpu(
        &self,
        function: &Cgroup,
        ended: &[Ended],
        cpu: impl Fn(&Ended) -> Duration,
    ) -> Result<()> {
        let truth = ended.iter().map(cpu).sum::<Duration>() / ended.len() as u32;
        let seen = self.daemon.function(function.name())?.time("cpu_mean_ns")?;
        let error = seen.as_secs_f64() / truth.as_secs_f64() - 1.0;
        self.report.note(format!(
            "{}: {seen:.3?} observed, {truth:.3?} in truth, {:+.4} %",
            function.name(),
            error * 100.0
        ));
        ensure!(
            error.abs() < TOLERANCE,
            "expected the CPU time of '{}' to be {truth:?} on average and saw {seen:?}",
            function.name()
        );
        Ok(())
    }
}
