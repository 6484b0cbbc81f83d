// SPDX-License-Identifier: GPL-2.0-only
//! All rounds, in the order of running.

use maud::{Markup, html};

use crate::report::plot::clean;
use crate::report::table::{number, time};
use crate::report::{Round, Run, Summary};

/// More rounds than this are for `summary.json`.
const MOST_ROUNDS: usize = 200;

const NS_PER_S: f64 = 1e9;

pub fn section(run: &Run) -> Markup {
    if run.rounds.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Rounds" }
            @if run.rounds.len() > MOST_ROUNDS {
                p { "The first " (MOST_ROUNDS) " of " (run.rounds.len()) "; summary.json has all." }
            }
            div.wide {
                table {
                    thead {
                        tr {
                            @for title in ["round", "setting", "scheduler", "seed", "began", "calls",
                                "mean response", "mean slowdown", "generator late, mean", "at most",
                                "scheduler CPU", ""] {
                                th scope="col" { (title) }
                            }
                        }
                    }
                    tbody {
                        @for (number, round) in (1..=MOST_ROUNDS).zip(&run.rounds) {
                            (row(number, round))
                        }
                    }
                }
            }
        }
    }
}

fn row(index: usize, round: &Round) -> Markup {
    let summary = Summary::of(&round.outcomes);
    let began = |ns: u64| format!("{:.1} s", ns as f64 / NS_PER_S);
    let late = |ms: f64| format!("{ms:.3} ms");
    html! {
        tr {
            td { (index) }
            td { (round.setting + 1) }
            th scope="row" { (clean(&round.contender.to_string())) }
            td { (round.seed) }
            td { (round.start_ns.map_or("simulated".into(), began)) }
            td { (round.outcomes.len()) }
            td { (summary.map_or("–".into(), |s| time(s.response_ms.mean))) }
            td { (summary.map_or("–".into(), |s| number(s.slowdown.mean))) }
            td { (round.lateness_ms.map_or("–".into(), |d| late(d.mean))) }
            td { (round.lateness_ms.map_or("–".into(), |d| late(d.max))) }
            td { (round.scheduler_cpu_percent.map_or("–".into(), |p| format!("{p:.2} %"))) }
            td { @if !round.doubts.is_empty() { span.bad { "invalid" } } }
        }
    }
}
