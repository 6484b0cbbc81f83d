// SPDX-License-Identifier: GPL-2.0-only
//! The order that the kernel side makes of a policy table is the simulator's:
//! a trace is run on one CPU by a daemon that knows its functions, and played
//! through under the table it published.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::spin_until;
use crate::cpus;
use crate::daemon::PROGRAM;
use crate::known::{self, Known};
use crate::machine::Machine;
use crate::policy::{self, Policy};
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;
use crate::shared::{Board, Shared};

pub const SCENARIO: Scenario = Scenario {
    name: "same-order",
    title: "a trace ends in the order simulated with the same policy table",
    machine: Machine::Exact,
    limit: Duration::from_secs(60),
    run,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the daemon takes the functions for.
const KNOWN: Known = &[
    ("brief", ms(20)),
    ("short", ms(60)),
    ("medium", ms(200)),
    ("long", ms(600)),
    // Whose invocations are nothing like it.
    ("boaster", ms(600)),
    ("liar", ms(20)),
];

/// Small, so that who waits passes newcomers within the trace.
const BIAS_FACTOR: &str = "4";

/// Below the biases of all but the shortest functions.
const SMALL_BIAS: &str = "300ms";

/// No table but the first is learned before all is over.
const INTERVAL: &str = "60s";

/// A request; times are milliseconds.
struct Request {
    function: &'static str,
    arrival_ms: u64,
    cpu_ms: u64,
}

const fn request(arrival_ms: u64, function: &'static str, cpu_ms: u64) -> Request {
    Request {
        function,
        arrival_ms,
        cpu_ms,
    }
}

/// The longer ones are preempted by shorter ones, one of which is thought to
/// be long, and one runs on for longer than was thought; then come so many
/// short ones that a medium one passes them.
const TRACE: [Request; 15] = [
    request(0, "long", 600),
    request(50, "medium", 200),
    request(100, "short", 60),
    request(110, "boaster", 30),
    request(120, "brief", 20),
    request(150, "liar", 300),
    request(230, "short", 60),
    request(290, "short", 60),
    request(350, "short", 60),
    request(400, "short", 60),
    request(540, "short", 60),
    request(600, "short", 60),
    request(660, "short", 60),
    request(720, "short", 60),
    request(1300, "brief", 20),
];

fn run(report: &Report) -> Result<()> {
    let cgroups = KNOWN
        .iter()
        .map(|(name, _)| Cgroup::new(name))
        .collect::<Result<Vec<_>>>()?;
    let unbent = same_order(report, &cgroups, &[])?;
    let bent = same_order(report, &cgroups, &["--max-bias", SMALL_BIAS])?;
    ensure!(
        bent != unbent,
        "expected biases that {SMALL_BIAS} bounds to give another order"
    );
    Ok(())
}

/// Run the trace with these options, and simulate it; the requests in the order
/// they ended.
fn same_order(report: &Report, cgroups: &[Cgroup], options: &[&str]) -> Result<Vec<usize>> {
    let always = ["--interval", INTERVAL, "-k", BIAS_FACTOR];
    let daemon = known::start(KNOWN, &[&always[..], options].concat())?;
    let ended = replay(cgroups)?;
    let simulated = simulated()?;
    report.note(format!("{options:?}: in the order {}", listed(&ended)));
    ensure!(
        ended == simulated,
        "expected the order of the simulation, {}, and saw {} {options:?}",
        listed(&simulated),
        listed(&ended)
    );
    let arrivals: Vec<usize> = (0..TRACE.len()).collect();
    ensure!(ended != arrivals, "expected another order than first come");
    daemon.stop()?;
    Ok(ended)
}

/// Who has ended when: the place in the order, counted from 1, of each request.
#[derive(Default)]
struct Order {
    ended: AtomicU64,
    places: [AtomicU64; TRACE.len()],
}

// SAFETY: all fields are atomic integers.
unsafe impl Board for Order {}

/// Runs the trace; the requests in the order they ended.
fn replay(cgroups: &[Cgroup]) -> Result<Vec<usize>> {
    let order = Shared::<Order>::new()?;
    // In a process of its own, which runs before all that it starts.
    let generator = Child::start(None, || {
        generate(cgroups, &order).expect("the generator works");
    })?;
    generator.finish().context("the generator broke")?;
    let mut ended: Vec<usize> = (0..TRACE.len()).collect();
    ended.sort_by_key(|&request| order.places[request].load(Relaxed));
    Ok(ended)
}

fn generate(cgroups: &[Cgroup], order: &Order) -> Result<()> {
    const PRIORITY: i32 = 50;
    policy::set(0, Policy::Fifo(PRIORITY))?;
    // All of them on one CPU, as in the simulation.
    cpus::allow(0, &[0])?;
    let begin = Instant::now();
    let mut running = Vec::new();
    for (index, request) in TRACE.iter().enumerate() {
        sleep(ms(request.arrival_ms).saturating_sub(begin.elapsed()));
        let cgroup = cgroups
            .iter()
            .find(|cgroup| cgroup.name() == request.function);
        let child = Child::start(cgroup, || {
            spin_until(ms(request.cpu_ms));
            let place = order.ended.fetch_add(1, Relaxed) + 1;
            order.places[index].store(place, Relaxed);
        })?;
        running.push(child);
    }
    for child in running {
        child.finish()?;
    }
    Ok(())
}

/// Plays the trace through under the table in force; the requests in the order
/// they end.
fn simulated() -> Result<Vec<usize>> {
    let [table, trace, results] = ["table.json", "trace.csv", "simulated"].map(|name| {
        let path = Path::new(DIRECTORY).join(name);
        path.to_string_lossy().into_owned()
    });
    let mut csv = "arrival_us,function,cpu_us\n".to_owned();
    for request in &TRACE {
        csv += &format!(
            "{},{},{}\n",
            request.arrival_ms * 1000,
            request.function,
            request.cpu_ms * 1000
        );
    }
    fs::write(&trace, csv).context("cannot write a trace")?;
    program(&["policy", "--save", &table])?;
    program(&[
        "simulate",
        "--policy",
        "alps",
        "--cpus",
        "1",
        "--seeds",
        "1",
        "--trace",
        &trace,
        "--policy-table",
        &table,
        "--out",
        &results,
    ])?;
    let file = format!("{results}/invocations.csv");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().context("no header")?;
    let field = |name: &str| {
        let place = header.iter().position(|&field| field == name);
        place.with_context(|| format!("expected a field {name} in {header:?}"))
    };
    let (arrival, end) = (field("arrival_ns")?, field("end_ns")?);
    let mut ends = Vec::new();
    for row in rows {
        let ns = |place: usize| -> Result<u64> {
            let text = row.get(place).context("a row is too short")?;
            text.parse().with_context(|| format!("'{text}' is no time"))
        };
        let arrived_ms = ns(arrival)? / 1_000_000;
        let request = TRACE
            .iter()
            .position(|request| request.arrival_ms == arrived_ms)
            .with_context(|| format!("no request arrives at {arrived_ms} ms"))?;
        ends.push((ns(end)?, request));
    }
    ensure!(ends.len() == TRACE.len(), "expected all requests in {text}");
    ends.sort_unstable();
    Ok(ends.into_iter().map(|(_, request)| request).collect())
}

fn program(arguments: &[&str]) -> Result<()> {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {arguments:?}"))?;
    ensure!(
        output.status.success(),
        "expected {arguments:?} to end well and saw {output:?}"
    );
    Ok(())
}

fn listed(requests: &[usize]) -> String {
    let names = requests.iter().map(|&request| {
        let Request {
            function,
            arrival_ms,
            ..
        } = &TRACE[request];
        format!("{function}@{arrival_ms}")
    });
    names.collect::<Vec<_>>().join(" ")
}
