// SPDX-License-Identifier: GPL-2.0-only
//! What the defaults rest on: predictors, and the bias factor K, compared by
//! simulation with clairvoyant SRPT.
//!
//! `evidence predictors` and `evidence factors` print tables as Markdown and
//! write their plots to the folder named next. Every synthetic trace is played
//! through on 2 CPUs by what was learned from another one of the same functions.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use scx_alps::invocation::FunctionId;
use scx_alps::learn::{BiasFactor, Learner, LearnerConfig, Method, Objective};
use scx_alps::report::Ratio;
use scx_alps::report::plot::panels::{Across, Panel, Row, panels};
use scx_alps::sim::alps::Enforcement;
use scx_alps::sim::share::Weights;
use scx_alps::sim::{Job, Machine, Policy, Setup, Tables, simulate};
use scx_alps::trace::synth::{self, SynthError};
use scx_alps::trace::{Request, Trace};

const CPUS: u32 = 2;
const LENGTH: Duration = Duration::from_secs(20);
const INTERVAL_NS: u64 = 1_000_000_000;

/// What is learned from is a trace of another seed.
const PRACTICE: u64 = 1000;

type Synth = fn(u64, u32, f64, Duration) -> Result<Trace, SynthError>;

const TRACES: [(&str, Synth); 5] = [
    ("mixed", synth::mixed),
    ("azure", synth::azure),
    ("huawei", synth::huawei),
    ("bimodal", synth::bimodal),
    ("heavy", synth::heavy),
];

/// How ALPS learns.
#[derive(Clone, Copy)]
struct Learning {
    method: Method,
    objective: Objective,
    factor: f64,
}

impl Learning {
    fn by(method: Method) -> Self {
        Self {
            method,
            objective: Objective::Response,
            factor: BiasFactor::default().get(),
        }
    }

    fn name(self) -> String {
        match self.method {
            Method::Gittins => format!("{} {}", self.method, self.objective),
            method => method.name().to_owned(),
        }
    }

    fn learner(self) -> Result<Learner, String> {
        let config = LearnerConfig {
            cpus: CPUS as usize,
            bias_factor: BiasFactor::new(self.factor).map_err(|error| error.to_string())?,
            ..LearnerConfig::default()
        };
        Ok(Learner::new(config, self.method.predictor(self.objective)))
    }
}

/// What came of a trace under a policy.
#[derive(Clone, Copy)]
struct Figures {
    response_ns: f64,
    slowdown: f64,
    longest_ns: f64,
}

/// One of them.
type Figure = fn(&Figures) -> f64;

/// The same over several seeds, as ratios.
#[derive(Clone)]
struct Ratios {
    response: Ratio,
    slowdown: Ratio,
    /// The longest response over that of processor sharing.
    longest: Ratio,
    /// The figures of each seed by the first way of learning, and by this one.
    pairs: Vec<[Figures; 2]>,
}

/// One trace at one load.
struct Cell {
    synth: Synth,
    load: f64,
}

fn main() {
    // Cargo passes options of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let what = args.next();
    let folder = args.next().unwrap_or_else(|| "docs".to_owned());
    let done = match what.as_deref() {
        Some("predictors") => predictors(Path::new(&folder)),
        Some("factors") => factors(Path::new(&folder)),
        // 'cargo bench' runs all there are; these take minutes.
        None => Ok(()),
        Some(other) => Err(format!("'{other}' is neither predictors nor factors")),
    };
    if let Err(error) = done {
        eprintln!("evidence: {error}");
        std::process::exit(1);
    }
}

fn predictors(folder: &Path) -> Result<(), String> {
    const LOADS: [f64; 4] = [0.5, 0.7, 0.9, 1.0];
    const SEEDS: u64 = 20;
    let mut learnings: Vec<Learning> = Method::ALL.into_iter().map(Learning::by).collect();
    learnings.push(Learning {
        objective: Objective::Slowdown,
        ..Learning::by(Method::Gittins)
    });
    let names: Vec<String> = learnings.iter().map(|learning| learning.name()).collect();
    let results = compare(&LOADS, SEEDS, &learnings)?;

    println!("Mean response / mean slowdown over clairvoyant SRPT's, {SEEDS} seeds:\n");
    println!("| trace | load | {} |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(names.len()));
    for ((trace, _), of_loads) in TRACES.iter().zip(&results) {
        for (load, ratios) in LOADS.iter().zip(of_loads) {
            let figures = ratios.iter().map(|ratios| {
                let Ratios {
                    response, slowdown, ..
                } = ratios;
                format!("{:.3} / {:.3}", response.value, slowdown.value)
            });
            let figures: Vec<String> = figures.collect();
            println!("| {trace} | {load:.1} | {} |", figures.join(" | "));
        }
    }

    let by_default = learnings
        .iter()
        .position(|of| of.method == Method::default() && of.objective == Objective::default())
        .ok_or("the default is not among those compared")?;
    beside_avg(&results, by_default, &LOADS, &names[by_default]);

    let of_mixed = LOADS.iter().zip(&results[0]);
    for (_, ratios) in of_mixed.filter(|(load, _)| **load == 0.9) {
        println!(
            "\n{} on {} at load 0.9, over SRPT's: response {}; slowdown {}",
            names[by_default],
            TRACES[0].0,
            interval(Some(ratios[by_default].response)),
            interval(Some(ratios[by_default].slowdown))
        );
    }

    println!("\nOver avg's, with 95 % confidence intervals, all traces and loads together:\n");
    let [response, slowdown] = [
        (|ratios: &Ratios| ratios.response.value) as fn(&Ratios) -> f64,
        |ratios| ratios.slowdown.value,
    ];
    for (index, name) in names.iter().enumerate().skip(1) {
        let over = |figure: fn(&Ratios) -> f64| {
            let cells = results.iter().flatten();
            let pairs: Vec<(f64, f64)> = cells
                .map(|ratios| (figure(&ratios[0]), figure(&ratios[index])))
                .collect();
            let worst = pairs.iter().map(|(avg, own)| own / avg).fold(0.0, f64::max);
            format!("{}, at worst {worst:.3}", interval(Ratio::of_pairs(pairs)))
        };
        println!(
            "- {name}: response {}; slowdown {}",
            over(response),
            over(slowdown)
        );
    }

    let curves = |figure: fn(&Ratios) -> f64| {
        panels_of(&results, |of_loads| {
            (0..names.len())
                .map(|index| {
                    let loads = LOADS.iter().zip(of_loads);
                    loads
                        .map(|(&load, ratios)| [load, excess(figure(&ratios[index]))])
                        .collect()
                })
                .collect()
        })
    };
    let plot = panels(
        "predictors",
        "Predictors over the load",
        "How much the mean response (above) and the mean slowdown (below) are larger than under \
         clairvoyant SRPT, in percent, by predictor.",
        &Across {
            title: "load",
            logarithmic: false,
        },
        &names,
        &[
            Row {
                y_title: "mean response above SRPT's, %",
                panels: curves(response),
            },
            Row {
                y_title: "mean slowdown above SRPT's, %",
                panels: curves(slowdown),
            },
        ],
    );
    write(folder, plot.name, &plot.file())
}

/// Prints one way of learning over the first, by trace and load.
fn beside_avg(results: &Results, index: usize, loads: &[f64], name: &str) {
    println!("\n{name} over avg, on the same traces, with 95 % confidence intervals:\n");
    let loads: Vec<String> = loads.iter().map(|load| format!("{load:.1}")).collect();
    println!("| trace | mean | load {} | all loads |", loads.join(" | "));
    println!("|---|---|{}", "---|".repeat(loads.len() + 1));
    let figures: [(&str, Figure); 2] = [
        ("response", |of| of.response_ns),
        ("slowdown", |of| of.slowdown),
    ];
    for ((trace, _), of_loads) in TRACES.iter().zip(results) {
        for (mean, figure) in figures {
            let pairs_at = |ratios: &Vec<Ratios>| -> Vec<(f64, f64)> {
                let pairs = ratios[index].pairs.iter();
                pairs
                    .map(|[first, own]| (figure(first), figure(own)))
                    .collect()
            };
            let each: Vec<Vec<(f64, f64)>> = of_loads.iter().map(pairs_at).collect();
            let all = each.concat();
            let cells = each.into_iter().chain([all]);
            let cells: Vec<String> = cells
                .map(|pairs| interval(Ratio::of_pairs(pairs)))
                .collect();
            println!("| {trace} | {mean} | {} |", cells.join(" | "));
        }
    }
}

fn factors(folder: &Path) -> Result<(), String> {
    const LOADS: [f64; 7] = [0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1];
    const FACTORS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0];
    const SEEDS: u64 = 10;
    let of = |factor| Learning {
        factor,
        ..Learning::by(Method::default())
    };
    let results = compare(&LOADS, SEEDS, &FACTORS.map(of))?;
    let names: Vec<String> = FACTORS.iter().map(|factor| format!("{factor}")).collect();

    println!(
        "Mean response / mean slowdown over clairvoyant SRPT's / longest response over processor \
         sharing's, {SEEDS} seeds of each trace together, by {}:\n",
        of(1.0).name()
    );
    println!("| load | K = {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    for (place, load) in LOADS.iter().enumerate() {
        let all = |index: usize, figure: fn(&Ratios) -> f64| {
            let traces = results.iter();
            let pairs = traces.map(|of_loads| (1.0, figure(&of_loads[place][index])));
            Ratio::of_pairs(pairs).map_or(f64::NAN, |ratio| ratio.value)
        };
        let figures = (0..FACTORS.len()).map(|index| {
            format!(
                "{:.2} / {:.2} / {:.2}",
                all(index, |ratios| ratios.response.value),
                all(index, |ratios| ratios.slowdown.value),
                all(index, |ratios| ratios.longest.value)
            )
        });
        let figures: Vec<String> = figures.collect();
        println!("| {load:.1} | {} |", figures.join(" | "));
    }

    let curves = |figure: fn(&Ratios) -> f64| {
        panels_of(&results, |of_loads| {
            let curve = |ratios: &Vec<Ratios>| {
                let factors = FACTORS.iter().zip(ratios);
                // What is small is far from the rest, and would hide it.
                factors
                    .filter(|(factor, _)| **factor >= 4.0)
                    .map(|(&factor, ratios)| [factor, figure(ratios)])
                    .collect()
            };
            of_loads.iter().map(curve).collect()
        })
    };
    let plot = panels(
        "factors",
        "The bias factor K over the load",
        "How much the mean response and the mean slowdown are larger than under clairvoyant SRPT, \
         in percent, and the longest response over that under processor sharing, by K; a line \
         for each load.",
        &Across {
            title: "K",
            logarithmic: true,
        },
        &LOADS.map(|load| format!("load {load}")),
        &[
            Row {
                y_title: "mean response above SRPT's, %",
                panels: curves(|ratios| excess(ratios.response.value)),
            },
            Row {
                y_title: "mean slowdown above SRPT's, %",
                panels: curves(|ratios| excess(ratios.slowdown.value)),
            },
            Row {
                y_title: "longest response over processor sharing's",
                panels: curves(|ratios| ratios.longest.value),
            },
        ],
    );
    write(folder, plot.name, &plot.file())
}

/// By trace, load and way of learning.
type Results = Vec<Vec<Vec<Ratios>>>;

fn compare(loads: &[f64], seeds: u64, learnings: &[Learning]) -> Result<Results, String> {
    let cells: Vec<Cell> = TRACES
        .iter()
        .flat_map(|&(_, synth)| loads.iter().map(move |&load| Cell { synth, load }))
        .collect();
    let work: Vec<(usize, u64)> = (0..cells.len())
        .flat_map(|cell| (1..=seeds).map(move |seed| (cell, seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let workers = available_parallelism().map_or(1, usize::from);
    let run = || -> Result<Vec<(usize, Vec<Figures>)>, String> {
        let mut done = Vec::new();
        while let Some(&(cell, seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((cell, figures(&cells[cell], seed, learnings)?));
        }
        Ok(done)
    };
    let done: Vec<(usize, Vec<Figures>)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        let joined = threads.into_iter().map(|thread| {
            let panicked = |_| "a simulation ended early".to_owned();
            thread.join().map_err(panicked).flatten()
        });
        joined.collect::<Result<Vec<_>, String>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    let ratios = |cell: usize| -> Option<Vec<Ratios>> {
        let of_seeds: Vec<&Vec<Figures>> = done
            .iter()
            .filter(|(of, _)| *of == cell)
            .map(|(_, figures)| figures)
            .collect();
        let over = |index: usize, base: usize, figure: fn(&Figures) -> f64| {
            let pairs = of_seeds.iter();
            Ratio::of_pairs(pairs.map(|of| (figure(&of[base]), figure(&of[index]))))
        };
        (BASES..BASES + learnings.len())
            .map(|index| {
                Some(Ratios {
                    response: over(index, SRPT, |of| of.response_ns)?,
                    slowdown: over(index, SRPT, |of| of.slowdown)?,
                    longest: over(index, SHARING, |of| of.longest_ns)?,
                    pairs: of_seeds.iter().map(|of| [of[BASES], of[index]]).collect(),
                })
            })
            .collect()
    };
    let all: Option<Vec<Vec<Ratios>>> = (0..cells.len()).map(ratios).collect();
    let all = all.ok_or("there are no results")?;
    Ok(all.chunks(loads.len()).map(<[_]>::to_vec).collect())
}

/// What all are compared with, in the order of their figures.
const SRPT: usize = 0;
const SHARING: usize = 1;
const BASES: usize = 2;

fn figures(cell: &Cell, seed: u64, learnings: &[Learning]) -> Result<Vec<Figures>, String> {
    let jobs = |seed| {
        let trace =
            (cell.synth)(seed, CPUS, cell.load, LENGTH).map_err(|error| error.to_string())?;
        let jobs: Vec<Job> = trace.requests.iter().map(job).collect();
        Ok::<_, String>(jobs)
    };
    let (practice, jobs) = (jobs(seed + PRACTICE)?, jobs(seed)?);
    let nothing = || Tables::fixed(Default::default());
    let mut all = vec![
        run(Policy::Srpt, &jobs, &mut nothing()),
        run(Policy::Ps, &jobs, &mut nothing()),
    ];
    for learning in learnings {
        let mut tables = Tables::learned(learning.learner()?, INTERVAL_NS);
        run(Policy::Alps, &practice, &mut tables);
        let mut tables = tables.begin_anew();
        all.push(run(Policy::Alps, &jobs, &mut tables));
    }
    Ok(all)
}

fn run(policy: Policy, jobs: &[Job], tables: &mut Tables) -> Figures {
    let setup = Setup {
        machine: Machine::ideal(CPUS as usize),
        quantum_ns: 3_000_000,
        weights: Weights::default(),
        enforcement: Enforcement::default(),
        bias_factor: BiasFactor::default(),
    };
    let outcomes = simulate(policy, jobs, &setup, tables, |_| {});
    let responses: Vec<f64> = jobs
        .iter()
        .zip(&outcomes)
        .map(|(job, outcome)| (outcome.finish_ns - job.arrival_ns) as f64)
        .collect();
    let count = jobs.len() as f64;
    let slowdowns = jobs.iter().zip(&responses);
    Figures {
        response_ns: responses.iter().sum::<f64>() / count,
        slowdown: slowdowns
            .map(|(job, ns)| ns / job.cpu_ns as f64)
            .sum::<f64>()
            / count,
        longest_ns: responses.iter().copied().fold(0.0, f64::max),
    }
}

fn job(request: &Request) -> Job {
    Job {
        function: FunctionId::new(request.function + 1).unwrap_or(FunctionId::PRIOR),
        arrival_ns: request.arrival_ns,
        cpu_ns: request.cpu_ns,
    }
}

/// A panel for each trace.
fn panels_of(
    results: &Results,
    curves: impl Fn(&Vec<Vec<Ratios>>) -> Vec<Vec<[f64; 2]>>,
) -> Vec<Panel> {
    let traces = TRACES.iter().zip(results);
    traces
        .map(|((name, _), of_loads)| Panel {
            title: (*name).to_owned(),
            curves: curves(of_loads),
        })
        .collect()
}

/// What a ratio is above 1, in percent.
fn excess(ratio: f64) -> f64 {
    (ratio - 1.0) * 100.0
}

fn interval(ratio: Option<Ratio>) -> String {
    match ratio {
        Some(Ratio {
            value,
            interval: Some([low, high]),
            ..
        }) => format!("{value:.3} ({low:.3} to {high:.3})"),
        _ => "-".to_owned(),
    }
}

fn write(folder: &Path, name: &str, svg: &str) -> Result<(), String> {
    let file = folder.join(format!("{name}.svg"));
    std::fs::write(&file, svg).map_err(|error| format!("cannot write {}: {error}", file.display()))
}
