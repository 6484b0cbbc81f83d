// SPDX-License-Identifier: GPL-2.0-only
//! How time and memory grow with the length of a simulation, and the memory of
//! a learner: what a criterion benchmark does not show.
//!
//! Times are CPU time. Each size has a process of its own, whose peak resident
//! set is printed with and without that of the input. It ends badly where a
//! limit is exceeded: 2 s and 500 MiB for 1,000,000 invocations, 50 ms and
//! 64 MiB for a learner's round, 20 ms for a full table of Gittins curves.

#[path = "common/histories.rs"]
mod histories;
#[path = "common/load.rs"]
mod load;

use std::fs;
use std::process::Command;

use nix::time::{ClockId, clock_gettime};
use scx_alps::learn::{Method, Objective};
use scx_alps::sim::srpt;

const SIZES: [usize; 5] = [10_000, 100_000, 1_000_000, 3_000_000, 10_000_000];

const LEARNER: &str = "learner";
const CURVES: &str = "curves";

fn main() {
    // Cargo passes options of its own.
    let of = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    match of.as_deref() {
        Some(LEARNER) => learner(),
        Some(CURVES) => curves(),
        Some(size) => match size.parse() {
            Ok(count) => simulation(count),
            Err(_) => eprintln!("'{size}' is no number of invocations"),
        },
        None => all(),
    }
}

fn all() {
    println!("SRPT on 24 CPUs; n log n has the same ns in every row");
    println!(
        "{:>12} {:>9} {:>14} {:>12} {:>12}",
        "invocations", "CPU time", "/ n log2 n", "peak RSS", "above input"
    );
    let mut ended_well = true;
    for size in SIZES {
        ended_well &= in_own_process(&size.to_string());
    }
    println!("\na learner's rounds over 100,000 invocations of 1,000 functions on 64 CPUs");
    ended_well &= in_own_process(LEARNER);
    println!("\nGittins curves of 4,096 functions x 256 samples");
    ended_well &= in_own_process(CURVES);
    if !ended_well {
        std::process::exit(1);
    }
}

/// Whether it ended well.
fn in_own_process(argument: &str) -> bool {
    let status =
        std::env::current_exe().and_then(|program| Command::new(program).arg(argument).status());
    match status {
        Ok(status) if status.success() => true,
        other => {
            eprintln!("{argument}: {other:?}");
            false
        }
    }
}

fn simulation(count: usize) {
    let jobs = load::jobs(count, 1000, 24);
    let input_kb = resident_kb("VmRSS");
    let begin = cpu_seconds();
    let outcomes = srpt::replay(&jobs, 24, |_| {});
    let seconds = cpu_seconds() - begin;
    assert_eq!(outcomes.len(), count);
    let peak_kb = resident_kb("VmHWM");
    let n_log_n = count as f64 * (count as f64).log2();
    println!(
        "{count:>12} {:>7.3} s {:>11.2} ns {:>8} MiB {:>8} MiB",
        seconds,
        seconds * 1e9 / n_log_n,
        peak_kb / 1024,
        peak_kb.saturating_sub(input_kb) / 1024
    );
    if count == 1_000_000 {
        assert!(seconds < 2.0, "over 2 s");
        assert!(peak_kb < 500 * 1024, "over 500 MiB");
    }
}

fn learner() {
    const COUNT: usize = 100_000;
    let jobs = load::jobs(COUNT, 1000, 64);
    let input_kb = resident_kb("VmRSS");
    let mut learner = load::learner(COUNT, 64);
    for round in 1..=3 {
        load::observe(&mut learner, &jobs);
        let begin = cpu_seconds();
        let functions = learner.round(round, 90.0).entries().len() - 1;
        let ms = (cpu_seconds() - begin) * 1e3;
        let mib = resident_kb("VmHWM").saturating_sub(input_kb) / 1024;
        println!(
            "round {round}: {functions} functions, {ms:.1} ms, peak RSS {mib} MiB above the input"
        );
        assert!(ms < 50.0, "over 50 ms");
        assert!(mib < 64, "over 64 MiB");
    }
}

fn curves() {
    let histories = histories::full();
    for objective in Objective::ALL {
        let predictor = Method::Gittins.predictor(objective);
        let mut best_ms = f64::INFINITY;
        for _ in 0..10 {
            let begin = cpu_seconds();
            histories::forecast(&*predictor, &histories);
            best_ms = best_ms.min((cpu_seconds() - begin) * 1e3);
        }
        println!("for {objective}: {best_ms:.1} ms, the best of 10");
        assert!(best_ms < 20.0, "over 20 ms");
    }
}

/// CPU time of this process, which does not depend on what else runs.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(f64::NAN, |time| {
        time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
    })
}

/// A line of the process's own status; 0 where there is none.
fn resident_kb(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
