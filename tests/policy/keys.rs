// SPDX-License-Identifier: GPL-2.0-only
//! The simulated key is the enforced one: `keys.c`, which is made of the kernel
//! side's own headers, and [`Alps`] are led through the same schedules.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use scx_alps::invocation::FunctionId;
use scx_alps::learn::BiasFactor;
use scx_alps::policy::credit::sixteenths;
use scx_alps::policy::{BUCKETS, PolicyEntry, PolicyTable};
use scx_alps::sim::alps::{Alps, Enforcement};
use scx_alps::sim::discipline::Standing;
use scx_alps::sim::{Discipline, Job, Tables};

use crate::build;

const SECOND_NS: u64 = 1_000_000_000;

const TASKS: usize = 6;

/// What happens on a machine with one CPU.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The CPU goes to a task, which arrives if it has not.
    Switch { task: usize },
    /// A tick looks at the running task.
    Tick,
}

/// Events, each so long after the one before.
fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    // From less than a bucket's width to longer than any credit lasts.
    let pause_ns = prop_oneof![0..1_000_000u64, 0..SECOND_NS, 0..20 * SECOND_NS];
    let event = prop_oneof![
        3 => (0..TASKS).prop_map(|task| Event::Switch { task }),
        1 => Just(Event::Tick),
    ];
    prop::collection::vec((pause_ns, event), 1..60)
}

fn entry() -> impl Strategy<Value = PolicyEntry> {
    let bias_ns = prop::collection::vec(0..16 * SECOND_NS, BUCKETS);
    let predicted_ns = prop_oneof![0..SECOND_NS / 100, 0..10 * SECOND_NS];
    (bias_ns, 0..3u32, predicted_ns).prop_map(|(bias_ns, samples, predicted_ns)| PolicyEntry {
        bias_ns: bias_ns.try_into().expect("as many as there are buckets"),
        samples,
        predicted_ns,
        ..PolicyEntry::default()
    })
}

/// A table as it is published: what is not learned has the prior's entry.
fn table() -> impl Strategy<Value = PolicyTable> {
    let entries = prop::collection::vec(entry(), 1..TASKS);
    entries.prop_map(|mut entries| {
        let unlearned = PolicyEntry {
            samples: 0,
            ..entries[0].clone()
        };
        for entry in entries.iter_mut().filter(|entry| entry.samples == 0) {
            entry.clone_from(&unlearned);
        }
        PolicyTable::new(entries)
    })
}

/// What both sides are led through, line by line, and the keys that the
/// simulator makes.
fn simulated(table: &PolicyTable, bias_factor: f64, events: &[(u64, Event)]) -> (String, Vec<i64>) {
    let mut lines = format!("k {}\n", sixteenths(bias_factor));
    for (slot, entry) in table.entries().iter().enumerate() {
        let biases = entry.bias_ns.map(|bias_ns| bias_ns.to_string()).join(" ");
        let (samples, predicted_ns) = (entry.samples, entry.predicted_ns);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "p {slot} {samples} {predicted_ns} {biases}");
    }

    // A job that never ends, of each function there is and of one there is not.
    let functions = table.entries().len();
    let jobs: [Job; TASKS] = std::array::from_fn(|task| Job {
        function: FunctionId::new((task % (functions + 1)) as u32).expect("within the table"),
        arrival_ns: 0,
        cpu_ns: u64::MAX,
    });
    let factor = BiasFactor::new(bias_factor).expect("within its range");
    let mut tables = Tables::made_with(table.clone(), factor);
    let mut alps = Alps::new(&mut tables, Enforcement::default());
    let mut attained_ns = [0; TASKS];
    let mut waiting: [Option<i64>; TASKS] = [None; TASKS];
    // Who runs, and since when.
    let mut running: Option<(usize, u64)> = None;
    // Later than any credit reaches back, as on a machine that has just started.
    let mut now_ns = 100 * SECOND_NS;
    let mut keys = Vec::new();
    for &(pause_ns, event) in events {
        now_ns += pause_ns;
        let at = |task: usize, attained_ns: &[u64; TASKS]| Standing {
            job: &jobs[task],
            order: task,
            attained_ns: attained_ns[task],
            now_ns,
        };
        match event {
            Event::Tick => {
                let Some((task, since_ns)) = running else {
                    continue;
                };
                let ran_ns = now_ns - since_ns;
                let mut looked_at = attained_ns;
                looked_at[task] += ran_ns;
                keys.push(alps.preempted(&at(task, &looked_at)));
                let _ = writeln!(lines, "t {task} {ran_ns}");
            }
            Event::Switch { task } => {
                if let Some((before, since_ns)) = running.take() {
                    let ran_ns = now_ns - since_ns;
                    attained_ns[before] += ran_ns;
                    let key = alps.preempted(&at(before, &attained_ns));
                    waiting[before] = Some(key);
                    keys.push(key);
                    let _ = writeln!(lines, "o {before} {ran_ns}");
                }
                let at = at(task, &attained_ns);
                let key = waiting[task].take().unwrap_or_else(|| {
                    let key = alps.arrived(&at);
                    keys.push(key);
                    let slot = jobs[task].function.slot();
                    let _ = writeln!(lines, "a {task} {slot} {now_ns}");
                    key
                });
                keys.push(alps.switched_in(&at, key));
                let _ = writeln!(lines, "i {task} {now_ns}");
                running = Some((task, now_ns));
            }
        }
    }
    (lines, keys)
}

fn enforced(program: &build::Program, lines: &str) -> Vec<i64> {
    let mut child = Command::new(&program.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program that was just built");
    let mut stdin = child.stdin.take().expect("it is a pipe");
    // Few enough keys come back for the pipe to hold them all meanwhile.
    stdin.write_all(lines.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{:?}", output.status);
    let text = String::from_utf8(output.stdout).expect("numbers");
    let keys = text.lines().map(|line| line.parse().expect("a number"));
    keys.collect()
}

#[test]
fn the_simulated_key_is_the_enforced_one() {
    let program = build::program("keys.c");
    let schedules = (table(), prop_oneof![0.05f64..4.0, 4.0f64..3000.0], events());
    proptest!(|((table, bias_factor, events) in schedules)| {
        let (lines, keys) = simulated(&table, bias_factor, &events);
        prop_assert_eq!(enforced(&program, &lines), keys, "{}", lines);
    });
}
