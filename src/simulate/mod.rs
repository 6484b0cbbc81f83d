// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps simulate`: scheduling policies on the same load in simulated
//! time, side by side.

mod choice;
mod learning;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use scx_alps::identify::near;
use scx_alps::invocation::FunctionId;
use scx_alps::report::{self, Conditions, Contender, Round, Run, Setting, Warmth, text};
use scx_alps::sim::alps::Enforcement;
use scx_alps::sim::gantt::{Gantt, Span};
use scx_alps::sim::share::{DEFAULT_WEIGHT, Weights};
use scx_alps::sim::{Job, Machine, Outcome, Policy, Setup, Slice, Tables, simulate};
use scx_alps::trace::Trace;

use choice::{Choice, Weight};
use learning::{Learning, LearningArgs};

use crate::cli::{preempt_margin, slice};
use crate::workload::WorkloadArgs;
use crate::{results, status};

/// The kernel side knows no more CPUs either.
const MOST_CPUS: u32 = 1_024;

/// So many outcomes, of all policies and seeds together, are kept for the report.
const MOST_OUTCOMES: usize = 10_000_000;

#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    #[command(flatten)]
    pub workload: WorkloadArgs,

    /// Policies to simulate, or 'all'; the first is what the others are compared with
    #[arg(long, value_delimiter = ',', default_value = "ps,alps,srpt", value_name = "NAME", value_parser = choice::parser(), long_help = choice::help())]
    policy: Vec<Choice>,

    /// CPUs of the simulated machine, which the load is meant for
    #[arg(long, default_value_t = 2, allow_negative_numbers = true)]
    cpus: u32,

    /// What it costs a CPU to begin another invocation, such as 5us
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = choice::switch_cost)]
    switch_cost: Duration,

    /// A trace for each seed, run once under each policy
    #[arg(long, visible_alias = "seed", value_delimiter = ',', default_values_t = [1, 2, 3], allow_negative_numbers = true)]
    seeds: Vec<u64>,

    /// Draw who runs when within a span of the first seed's trace
    #[arg(long, value_name = "FROM..TO", value_parser = choice::span)]
    gantt: Option<Span>,

    /// Folder to write report.html, its plots, summary.json and invocations.csv to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    learning: LearningArgs,

    /// Slice of functions that have none of their own, under ALPS
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = slice, help_heading = "Enforce")]
    slice: Duration,

    /// How much better in rank a newcomer must be to preempt, under ALPS
    #[arg(long, value_name = "TIME", default_value = "2ms", value_parser = preempt_margin, help_heading = "Enforce")]
    preempt_margin: Duration,

    /// Quantum of round robin
    #[arg(long, value_name = "TIME", default_value = "3ms", value_parser = slice, help_heading = "Enforce")]
    quantum: Duration,

    /// A function's weight under processor sharing, 1 to 10000 [default: 100]
    #[arg(long, value_name = "FUNCTION=WEIGHT", value_parser = choice::weight, help_heading = "Enforce")]
    weight: Vec<Weight>,
}

/// Runs the simulations and prints how they compare.
///
/// # Errors
/// When the options cannot work, there is no trace, or a file cannot be read
/// or written.
pub fn run(args: &SimulateArgs) -> Result<()> {
    let (run, pictures) = play(args)?;
    print!("{}", text::report(&run));
    for (contender, picture) in pictures {
        println!("{contender}, seed {}\n{picture}", args.seeds[0]);
    }
    if let Some(dir) = &args.out {
        results::write(dir, &run)?;
        eprintln!("written to {}", dir.display());
    }
    Ok(())
}

/// All simulations, and the pictures asked for.
fn play(args: &SimulateArgs) -> Result<(Run, Vec<(Contender, Gantt)>)> {
    ensure!(
        (1..=MOST_CPUS).contains(&args.cpus),
        "--cpus {} is no machine; pass 1 to {MOST_CPUS}",
        args.cpus
    );
    let learning = Learning::new(&args.learning, args.cpus)?;
    let policies = choice::policies(&args.policy);
    learning.admit(&policies)?;
    let is_warm = learning.practises() && policies.iter().any(|policy| policy.learns());
    let Traces {
        measured: traces,
        practice,
    } = Traces::load(args, is_warm)?;
    let (_, first) = traces.first().context("no trace to run; pass --seeds 1")?;
    let setup = args.setup(&first.functions, &learning)?;
    note_strangers(&learning, first);
    let contenders = |policy: &Policy| learning.beginnings(*policy).len();
    let of_each: usize = policies.iter().map(contenders).sum();
    let requests: usize = traces.iter().map(|(_, trace)| trace.requests.len()).sum();
    ensure!(
        requests.saturating_mul(of_each) <= MOST_OUTCOMES,
        "{requests} requests under each of {of_each} policies are more than can be kept \
         ({MOST_OUTCOMES} outcomes): pass fewer with --policy or --seeds, or less with --seconds"
    );
    let is_practice = |trace: &Trace| {
        practice
            .as_ref()
            .is_some_and(|practice| practice.requests == trace.requests)
    };
    if traces.iter().any(|(_, trace)| is_practice(trace)) {
        eprintln!(
            "note: whatever the seed, this trace is the same: warm policies have practised on \
             what they are measured on"
        );
    }
    let practice = practice.as_ref().map(jobs).unwrap_or_default();

    let mut rounds = Vec::new();
    let mut pictures = Vec::new();
    for (index, (seed, trace)) in traces.iter().enumerate() {
        let span = args.gantt.filter(|_| index == 0);
        let jobs = jobs(trace);
        for &policy in &policies {
            for (contender, tables) in beginnings(policy, trace, &practice, &setup, &learning) {
                let simulated = Simulated::run(policy, &jobs, &setup, tables, span);
                let outcomes = simulated.report(trace);
                if let Some(span) = span {
                    pictures.push((contender.clone(), simulated.picture(span, trace, &jobs)));
                }
                rounds.push(Round::new(0, contender, *seed, outcomes));
            }
        }
    }

    let run = Run {
        conditions: Conditions {
            version: format!("scx_alps {}", status::version()),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            machine: None,
        },
        settings: vec![Setting {
            trace: args.workload.name(),
            layout: args.layout(),
            load: first.load(args.cpus),
            cpus: args.cpus,
            seconds: first.duration_ns as f64 / 1e9,
            functions: first.functions.clone(),
        }],
        rounds,
        bound: None,
    };
    Ok((run, pictures))
}

impl SimulateArgs {
    fn layout(&self) -> String {
        if self.switch_cost.is_zero() {
            "simulated, switching is free".into()
        } else {
            format!("simulated, a switch costs {:?}", self.switch_cost)
        }
    }

    fn setup(&self, functions: &[String], learning: &Learning) -> Result<Setup> {
        let mut weights = vec![DEFAULT_WEIGHT; functions.len() + 1];
        for weight in &self.weight {
            let named = functions.iter().position(|name| *name == weight.function);
            let index = named.with_context(|| unknown(&weight.function, functions))?;
            weights[slot(index).slot()] = weight.weight;
        }
        Ok(Setup {
            machine: Machine {
                cpus: self.cpus as usize,
                switch_cost_ns: self.switch_cost.as_nanos() as u64,
            },
            quantum_ns: self.quantum.as_nanos() as u64,
            weights: Weights::new(weights),
            enforcement: Enforcement {
                preempt_margin_ns: self.preempt_margin.as_nanos() as u64,
                default_slice_ns: self.slice.as_nanos() as u64,
                max_bias_ns: learning.max_bias_ns(),
            },
            bias_factor: learning.bias_factor(),
        })
    }
}

/// What is simulated.
struct Traces {
    /// With their seeds.
    measured: Vec<(u64, Trace)>,
    /// Of another seed, where anybody is warm.
    practice: Option<Trace>,
}

impl Traces {
    fn load(args: &SimulateArgs, is_warm: bool) -> Result<Self> {
        let mut seeds = args.seeds.clone();
        if is_warm {
            let unused = seeds.iter().max().map_or(0, |seed| seed.wrapping_add(1));
            seeds.push(unused);
        }
        let mut measured = args.workload.load_all(&seeds, args.cpus)?;
        let practice = if is_warm { measured.pop() } else { None };
        Ok(Self {
            measured,
            practice: practice.map(|(_, trace)| trace),
        })
    }
}

/// What to say of a function that the trace does not have.
fn unknown(function: &str, functions: &[String]) -> String {
    const OFFERED: usize = 5;
    let near = near(function, functions.iter().map(String::as_str), OFFERED);
    let some: Vec<&str> = if near.is_empty() {
        functions.iter().take(OFFERED).map(String::as_str).collect()
    } else {
        near
    };
    format!(
        "--weight: none of the trace's {} functions is called '{function}'; there is {}",
        functions.len(),
        some.join(", ")
    )
}

/// A policy's contenders, each with the tables it begins with.
fn beginnings(
    policy: Policy,
    trace: &Trace,
    practice: &[Job],
    setup: &Setup,
    learning: &Learning,
) -> Vec<(Contender, Tables)> {
    let name = policy.name();
    let fresh = || learning.tables(policy, &trace.functions);
    let begin = |warmth| match warmth {
        None => (Contender::new(name), fresh()),
        Some(Warmth::Cold) => (Contender::cold(name), fresh()),
        Some(Warmth::Warm) => {
            let mut tables = fresh();
            simulate(policy, practice, setup, &mut tables, |_| {});
            (Contender::warm(name), tables.begin_anew())
        }
    };
    learning.beginnings(policy).into_iter().map(begin).collect()
}

/// What came of a trace under a policy.
struct Simulated {
    outcomes: Vec<Outcome>,
    /// Within the span asked for; `None` where there are none at all.
    slices: Option<Vec<Slice>>,
}

impl Simulated {
    fn run(
        policy: Policy,
        jobs: &[Job],
        setup: &Setup,
        mut tables: Tables,
        span: Option<Span>,
    ) -> Self {
        let mut slices = Vec::new();
        let outcomes = simulate(policy, jobs, setup, &mut tables, |slice| {
            if span.is_some_and(|span| span.meets(slice.start_ns, slice.end_ns)) {
                slices.push(slice);
            }
        });
        Self {
            outcomes,
            slices: (!policy.shares()).then_some(slices),
        }
    }

    fn report(&self, trace: &Trace) -> Vec<report::Outcome> {
        let pairs = trace.requests.iter().zip(&self.outcomes);
        let outcomes = pairs.map(|(request, outcome)| report::Outcome {
            function: request.function,
            arrival_ns: request.arrival_ns,
            first_run_ns: outcome.first_run_ns,
            end_ns: outcome.finish_ns,
            cpu_requested_ns: request.cpu_ns,
            cpu_used_ns: request.cpu_ns,
            pause_ns: 0,
            switches: u64::from(outcome.switches),
        });
        outcomes.collect()
    }

    fn picture(&self, span: Span, trace: &Trace, jobs: &[Job]) -> Gantt {
        let name = |index: usize| {
            let function = trace.requests[index].function as usize;
            trace.functions.get(function).cloned().unwrap_or_default()
        };
        Gantt::new(span, jobs, &self.outcomes, self.slices.as_deref(), name)
    }
}

fn jobs(trace: &Trace) -> Vec<Job> {
    let job = |request: &scx_alps::trace::Request| Job {
        function: slot(request.function as usize),
        arrival_ns: request.arrival_ns,
        cpu_ns: request.cpu_ns,
    };
    trace.requests.iter().map(job).collect()
}

/// The slot of a trace's function. Slot 0 is the prior's; and that of all
/// functions the table has no room for, as in the daemon.
fn slot(function: usize) -> FunctionId {
    let slot = u32::try_from(function + 1).ok();
    slot.and_then(FunctionId::new).unwrap_or(FunctionId::PRIOR)
}

fn note_strangers(learning: &Learning, trace: &Trace) {
    let strangers = learning.strangers(&trace.functions);
    if let Some(some) = strangers.first() {
        eprintln!(
            "{} of {} functions are not in the saved table and get its prior: {some}{}",
            strangers.len(),
            trace.functions.len(),
            if strangers.len() > 1 { ", …" } else { "" }
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;
    use scx_alps::policy::{MadeBy, NamedTable, PolicyEntry, PolicyTable};
    use scx_alps::report::Summary;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        simulate: SimulateArgs,
    }

    fn played(args: &[&str]) -> Result<(Run, Vec<(Contender, Gantt)>)> {
        let short = ["simulate", "--seconds", "3", "--seeds", "1"];
        let args = Command::try_parse_from(short.iter().chain(args))?;
        play(&args.simulate)
    }

    #[test]
    fn the_same_command_gives_the_same_results() {
        let all = ["--policy", "all", "--known", "both", "--gantt", "1s..2s"];
        let play = || {
            let (run, pictures) = played(&all).unwrap();
            let outcomes: Vec<_> = run.rounds.into_iter().map(|r| r.outcomes).collect();
            let pictures: Vec<_> = pictures.iter().map(|(_, p)| p.to_string()).collect();
            (outcomes, pictures)
        };
        let (outcomes, pictures) = play();
        // Those that learn twice.
        assert_eq!((outcomes.len(), pictures.len()), (18, 18));
        assert!(outcomes.iter().all(|o| o.len() == outcomes[0].len()));
        assert!((outcomes, pictures) == play());
    }

    #[test]
    fn a_saved_table_decides_the_order() {
        let dir = tempfile::tempdir().unwrap();
        let saved = dir.path().join("table.json");
        let entry = |bias| PolicyEntry {
            bias_ns: [bias; 48],
            samples: 1,
            ..PolicyEntry::default()
        };
        // The longest first, which no learner would find.
        let table = PolicyTable::new(vec![entry(1 << 40), entry(1)]);
        let made_by = MadeBy {
            bias_factor: 16.0,
            max_bias_ns: 16_000_000_000,
            ..MadeBy::default()
        };
        let named = NamedTable::new(&table, made_by, |id| (id.slot() == 1).then_some("f1500ms"));
        fs::write(&saved, serde_json::to_string(&named).unwrap()).unwrap();
        let table = ["--policy-table", saved.to_str().unwrap()];
        let args = ["--load", "3", "--cpus", "4", "--policy", "alps"];
        let (run, _) = played(&[&args[..], &table].concat()).unwrap();
        assert_eq!(run.rounds[0].contender, Contender::new("alps"));
        let longest = run.settings[0].functions.len() as u32 - 1;
        let outcomes = &run.rounds[0].outcomes;
        let slowdown = |function| {
            let own = outcomes.iter().filter(|o| o.function == function);
            Summary::of(own).unwrap().slowdown.mean
        };
        let (first, last) = (slowdown(longest), slowdown(0));
        assert!(first < 4.0 && last > 100.0, "{first} {last}");

        // Nothing else goes by it, and nothing is learned beside it.
        for policy in ["serpt", "gittins", "oracle", "alps-k"] {
            assert!(played(&[&table[..], &["--policy", policy]].concat()).is_err());
        }
        for other in [["--known", "cold"], ["-k", "8"], ["--alpha", "2"]] {
            assert!(played(&[&table[..], &other].concat()).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_is_warm_has_practised_on_another_trace() {
        let args = Command::try_parse_from(["simulate", "--seconds", "3", "--seeds", "5"]).unwrap();
        let traces = Traces::load(&args.simulate, true).unwrap();
        let (measured, practice) = (traces.measured, traces.practice.unwrap());
        assert_eq!((measured.len(), measured[0].0), (1, 5));
        assert_eq!(practice.functions, measured[0].1.functions);
        assert_ne!(practice.requests, measured[0].1.requests);
    }

    #[test]
    fn warm_slices_and_waits_are_those_of_the_practice() {
        // Known from the start, the order is another than that of a cold start.
        let first = |known: &str| {
            let args = [
                "--policy",
                "alps-published",
                "--known",
                known,
                "--load",
                "1.5",
            ];
            let (run, _) = played(&args).unwrap();
            let outcomes = &run.rounds[0].outcomes;
            let begun = outcomes.iter().filter(|o| o.end_ns < 1_000_000_000);
            begun.map(|o| (o.arrival_ns, o.end_ns)).collect::<Vec<_>>()
        };
        assert_ne!(first("warm"), first("cold"));
    }

    #[test]
    fn slices_follow_the_tuning() {
        let mean = |args: &[&str]| {
            let policy = ["--policy", "alps-published", "--load", "1.1"];
            let (run, _) = played(&[&policy[..], args].concat()).unwrap();
            Summary::of(&run.rounds[0].outcomes)
                .unwrap()
                .response_ms
                .mean
        };
        assert_ne!(mean(&[]), mean(&["--alpha", "0"]));
        assert_ne!(mean(&[]), mean(&["--overload"]));
    }

    #[test]
    fn asked_policies_order_as_the_kernels_table_does() {
        let (run, _) = played(&["--policy", "alps,alps-k,oracle,srpt,fifo-k"]).unwrap();
        let outcomes: Vec<_> = run.rounds.iter().map(|round| &round.outcomes).collect();
        assert!(outcomes[0] == outcomes[1]);
        let response = |index: usize| Summary::of(outcomes[index]).unwrap().response_ms.mean;
        // With a finite K the truth is nearly SRPT, and no policy at all is far from it.
        assert!(response(2) < 1.1 * response(3));
        assert!(response(4) > 1.2 * response(3));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for args in [
            ["--cpus", "0"],
            ["--cpus", "4294967295"],
            ["--cpus", "1025"],
            ["--cpus", "-1"],
            ["--seeds", "-1"],
            ["--seeds", "4,4"],
            ["--slice", "1ns"],
            ["--quantum", "1ns"],
            ["--switch-cost", "100h"],
            ["--alpha", "-1"],
            ["--theta", "NaN"],
            ["--load", "NaN"],
            ["--bias-factor", "0"],
            ["--load-factor", "NaN"],
            ["--weight", "nobody=5"],
            ["--policy-table", "/nonexistent"],
            ["--switch-cost", "NaN"],
            ["--policy", "cfs"],
            ["--seeds", ""],
        ] {
            assert!(played(&args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn functions_without_a_slot_share_the_priors() {
        assert_eq!(slot(0).slot(), 1);
        assert_eq!(slot(4094).slot(), 4095);
        assert_eq!(slot(4095), FunctionId::PRIOR);
        assert_eq!(slot(usize::MAX - 1), FunctionId::PRIOR);
    }
}
