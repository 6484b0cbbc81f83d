// SPDX-License-Identifier: GPL-2.0-only
//! A run as one page that needs nothing but itself: no script, no request.

mod figures;
mod rounds;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{clean, plots};
use super::{Comparison, Run, text};

const STYLE: &str = include_str!("style.css");

/// Nothing is loaded and nothing runs, whatever a name in the page may hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
pub fn page(run: &Run) -> String {
    let comparisons = Comparison::all(run);
    let title = title(&comparisons);
    let doubts = text::doubts(run);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.about { (about(run)) }
                }
                main {
                    @if comparisons.is_empty() {
                        p { "Nothing was measured." }
                    }
                    @if !doubts.is_empty() {
                        (warning(&doubts))
                    }
                    @for (number, comparison) in (1..).zip(&comparisons) {
                        (setting(run, comparison, number))
                    }
                    (reading())
                    (rounds::section(run))
                    (conditions(run))
                }
            }
        }
    };
    page.into_string()
}

/// `ALPS and scx_rustland against EEVDF`.
fn title(comparisons: &[Comparison]) -> String {
    let mut names: Vec<String> = Vec::new();
    for side in comparisons.iter().flat_map(|c| &c.sides) {
        let name = clean(&side.contender.scheduler);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => "An empty run".into(),
        [only] => format!("How {only} does"),
        [baseline, other] => format!("{other} against {baseline}"),
        [baseline, others @ .., last] => {
            format!("{} and {last} against {baseline}", others.join(", "))
        }
    }
}

fn about(run: &Run) -> String {
    match &run.conditions.machine {
        Some(machine) => format!(
            "Measured by {} on Linux {}.",
            run.conditions.version, machine.kernel_release
        ),
        None => format!("Simulated by {}.", run.conditions.version),
    }
}

fn warning(doubts: &[String]) -> Markup {
    html! {
        section.warning {
            h2 { "Not all rounds are valid" }
            p { "The figures include them; they should not be trusted." }
            ul {
                @for doubt in doubts {
                    li { (clean(doubt)) }
                }
            }
        }
    }
}

fn setting(run: &Run, comparison: &Comparison, number: usize) -> Markup {
    html! {
        section.setting {
            h2 { (clean(&comparison.setting.to_string())) }
            @if !comparison.setting.layout.is_empty() {
                p.about { "Layout: " (clean(&comparison.setting.layout)) "." }
            }
            (figures::section(comparison))
            (tables::overall(comparison))
            p.note {
                @for note in text::notes(run, comparison) {
                    (clean(&note.replace('\n', " "))) br;
                }
            }
            (tables::each_against_each(comparison))
            @for plot in plots(comparison, &format!("setting-{number}")) {
                figure {
                    h3 { (plot.title) }
                    (plot.svg)
                    figcaption { (plot.caption) }
                }
            }
            (tables::functions(comparison))
        }
    }
}

fn reading() -> Markup {
    html! {
        section {
            h2 { "How to read this" }
            dl {
                dt { "call" }
                dd { "One invocation of a function: here, a process that does work or one request to a server." }
                dt { "response" }
                dd { "The time from when a call was due to its end, whether or not it could be started in time." }
                dt { "slowdown" }
                dd { "The response over the response with the machine to itself, that is CPU time asked for and pauses. 1 is not to be bettered." }
                dt { "p50, p90, p99" }
                dd { "So many percent of the calls were at most there." }
                dt { "ratio" }
                dd {
                    "A scheduler's figure over the baseline's; below 1 is better than the baseline. Both sides served \
                     the same traces. The ratio of each trace is taken by itself and the geometric mean of these is \
                     shown, so it may differ a little from the ratio of the figures above it, which pool all calls."
                }
                dt { "95 %" }
                dd {
                    "The ratio's confidence interval: Student's t on the logarithms of the traces' ratios. With few \
                     seeds it is wide; with one there is none. An interval that includes 1 shows no difference."
                }
                dt { "warm, cold" }
                dd { "Whether the scheduler had seen the functions before the round, or began it knowing nothing." }
                dt { "late" }
                dd { "How much later than due the load generator turned to a request. It must be small against the shortest calls." }
                dt { "scheduler CPU" }
                dd { "What the scheduler's own process took of one CPU. It watches and learns also while the kernel's own scheduler is in force." }
            }
        }
    }
}

fn conditions(run: &Run) -> Markup {
    let row = |name: &str, value: &str| {
        html! { tr { th scope="row" { (name) } td { (clean(value)) } } }
    };
    let seeds = |setting| {
        let seeds = run.seeds_in(setting);
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        seeds.join(", ")
    };
    html! {
        section {
            h2 { "Conditions" }
            div.wide {
                table.conditions {
                    tbody {
                        (row("version", &run.conditions.version))
                        tr {
                            th scope="row" { "command" }
                            td { code { (clean(&run.conditions.command)) } }
                        }
                        @if let Some(machine) = &run.conditions.machine {
                            (row("kernel", &machine.kernel_release))
                            (row("CPUs online", &machine.cpus.to_string()))
                        }
                        @for (index, setting) in run.settings.iter().enumerate() {
                            (row(&format!("setting {}", index + 1), &format!(
                                "{setting}; {} functions; seeds {}{}{}", setting.functions.len(),
                                seeds(index), if setting.layout.is_empty() { "" } else { "; " },
                                setting.layout
                            )))
                        }
                    }
                }
            }
        }
    }
}
