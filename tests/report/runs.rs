// SPDX-License-Identifier: GPL-2.0-only
//! Runs to make reports of.

use std::time::Duration;

use scx_alps::report::{
    Conditions, Contender, Distribution, Machine, Outcome, Round, Run, Setting,
};
use scx_alps::trace::{Trace, synth};

use super::serving::{Order, serve};

const CPUS: u32 = 2;
const SECOND_NS: u64 = 1_000_000_000;

fn conditions() -> Conditions {
    Conditions {
        version: "scx_alps 0.1.0".into(),
        command: "scx_alps bench --synth mixed --load 0.9 --seeds 1,2,3 --out report".into(),
        machine: Some(Machine {
            kernel_release: "6.18.15+deb13-cloud-amd64".into(),
            cpus: CPUS,
        }),
    }
}

fn setting(trace: &Trace, layout: &str) -> Setting {
    Setting {
        trace: "mixed".into(),
        layout: layout.into(),
        load: trace.load(CPUS),
        cpus: CPUS,
        seconds: trace.duration_ns as f64 / SECOND_NS as f64,
        functions: trace.functions.clone(),
    }
}

fn trace(seed: u64) -> Trace {
    synth::mixed(seed, CPUS, 0.9, Duration::from_secs(20)).unwrap()
}

/// A run on a clock of its own, to which rounds are added.
struct Builder {
    run: Run,
    now_ns: u64,
}

impl Builder {
    fn new() -> Self {
        Self {
            run: Run {
                conditions: conditions(),
                settings: Vec::new(),
                rounds: Vec::new(),
                bound: None,
            },
            now_ns: 0,
        }
    }

    fn round(&mut self, contender: Contender, seed: u64, outcomes: Vec<Outcome>) {
        let last_ns = outcomes.iter().map(|o| o.end_ns).max().unwrap_or(0);
        self.run.rounds.push(Round {
            start_ns: Some(self.now_ns),
            lateness_ms: Distribution::of(vec![0.018, 0.022, 0.031]),
            launch_ms: Distribution::of(vec![0.25]),
            scheduler_cpu_percent: Some(0.24),
            ..Round::new(self.run.settings.len() - 1, contender, seed, outcomes)
        });
        self.now_ns += last_ns + 2 * SECOND_NS;
    }

    /// Each seed's trace under each contender, forth and back in turn.
    fn rounds(&mut self, contenders: &[(Contender, Order)], seeds: u64) {
        for seed in 1..=seeds {
            let trace = trace(seed);
            let mut turn = contenders.to_vec();
            if seed % 2 == 0 {
                turn.reverse();
            }
            for (contender, order) in turn {
                self.round(contender, seed, serve(&trace, CPUS, order));
            }
        }
    }
}

fn kernel() -> (Contender, Order) {
    (Contender::new("EEVDF"), Order::Fair)
}

fn warm() -> (Contender, Order) {
    (Contender::warm("ALPS"), Order::ShortestFirst)
}

/// The kernel's scheduler and ALPS, warm and cold, on three seeds.
pub fn usual() -> Run {
    let mut builder = Builder::new();
    let setting = setting(&trace(1), "a cgroup a function, cpu controller on");
    builder.run.settings.push(setting);
    let cold = (Contender::cold("ALPS"), Order::FirstCome);
    builder.rounds(&[kernel(), warm(), cold], 3);
    builder.run
}

/// As little as one asks for.
pub fn small() -> Run {
    let mut builder = Builder::new();
    let setting = setting(&trace(1), "");
    builder.run.settings.push(setting);
    builder.rounds(&[kernel(), warm()], 1);
    builder.run
}

/// All there can be, and one round that went wrong.
pub fn large() -> Run {
    let mut builder = Builder::new();
    let contenders = [
        kernel(),
        (Contender::new("scx_rustland"), Order::FirstCome),
        warm(),
        (Contender::cold("ALPS"), Order::FirstCome),
        (Contender::new("ALPS oracle"), Order::ShortestFirst),
    ];
    for layout in [
        "a cgroup a function, cpu controller on",
        "one cgroup for all",
    ] {
        builder.run.settings.push(setting(&trace(1), layout));
        builder.rounds(&contenders, 5);
    }
    builder.run.bound = Some(Contender::new("ALPS oracle"));
    if let Some(round) = builder.run.rounds.get_mut(3) {
        round.unserved = 3;
        let doubt = "3 requests were not served in time and do not count";
        round.doubts.push(doubt.into());
    }
    builder.run
}

/// Many policies, many functions of all sizes, and no machine.
pub fn simulated() -> Run {
    let mut builder = Builder::new();
    builder.run.conditions.machine = None;
    let mut trace = trace(1);
    trace.functions = (0..1000).map(|index| format!("f{index:04}")).collect();
    for (request, function) in trace.requests.iter_mut().zip((0..1000).cycle()) {
        request.function = function;
    }
    builder.run.settings.push(setting(&trace, ""));
    for name in [
        "PS",
        "FIFO",
        "RR",
        "SJF",
        "SRPT",
        "SERPT",
        "M-SERPT",
        "LAS",
        "SFS",
        "ALPS 2024",
        "ALPS",
        "Gittins",
    ] {
        let order = match name {
            "PS" | "RR" | "LAS" => Order::Fair,
            "FIFO" | "SFS" => Order::FirstCome,
            _ => Order::ShortestFirst,
        };
        builder.round(Contender::new(name), 1, serve(&trace, CPUS, order));
    }
    for round in &mut builder.run.rounds {
        round.start_ns = None;
        round.lateness_ms = None;
        round.scheduler_cpu_percent = None;
    }
    builder.run
}

/// Names that try to be more than names.
pub fn hostile() -> Run {
    let mut run = small();
    let names = [
        "<script>document.title = 'broken into'</script>",
        "\"><img src=\"http://127.0.0.1:9/x\" onerror=\"document.title = 'broken into'\">",
        "'; background: url(http://127.0.0.1:9/y); '",
        "&amp;&lt;&#0;\u{0}\u{1b}[31m\u{202e}\u{ffff}",
        "]]></style><style>body { display: none }</style>",
    ];
    let setting = &mut run.settings[0];
    for (function, name) in setting.functions.iter_mut().zip(names) {
        *function = name.into();
    }
    setting.functions[5] = "x".repeat(4096);
    setting.trace = names[0].into();
    setting.layout = names[1].into();
    for round in &mut run.rounds {
        round.contender.scheduler += names[0];
        round.doubts.push(names[1].into());
    }
    run.conditions.command = names[4].into();
    run
}

/// Rounds in which no request was served.
pub fn nothing() -> Run {
    let mut run = small();
    for round in &mut run.rounds {
        round.unserved = round.outcomes.len();
        round.outcomes.clear();
    }
    run
}

/// No round at all.
pub fn empty() -> Run {
    Builder::new().run
}
