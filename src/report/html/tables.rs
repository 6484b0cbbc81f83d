// SPDX-License-Identifier: GPL-2.0-only
//! Comparisons as tables.

use std::cmp::Reverse;

use maud::{Markup, html};

use crate::report::comparison::FunctionRow;
use crate::report::plot::{clean, colour};
use crate::report::table::number;
use crate::report::{Comparison, Quantity, Ratio, Statistic, Summary, text};

/// More functions than this are for `summary.json`.
const MOST_FUNCTIONS: usize = 40;

/// A contender's name with its colour in the plots.
pub fn name(comparison: &Comparison, side: usize) -> Markup {
    let name = comparison.sides.get(side).map(|s| s.contender.to_string());
    html! {
        span.swatch style=(format!("background:{}", colour(side))) {}
        (clean(&name.unwrap_or_default()))
    }
}

/// All figures of all contenders.
pub fn overall(comparison: &Comparison) -> Markup {
    let statistics = || Statistic::ALL.map(Statistic::name);
    html! {
        div.wide {
            table.overall {
                thead {
                    tr {
                        td {}
                        @for quantity in Quantity::ALL {
                            th.group scope="colgroup" colspan=(Statistic::ALL.len()) { (quantity.name()) }
                        }
                        th.group scope="colgroup" colspan="2" { "cost" }
                    }
                    tr {
                        th scope="col" { "scheduler" }
                        @for _ in Quantity::ALL {
                            @for statistic in statistics() {
                                th scope="col" { (statistic) }
                            }
                        }
                        th scope="col" { "switches per call" }
                        th scope="col" { "scheduler CPU" }
                    }
                }
                tbody {
                    @for (index, side) in comparison.sides.iter().enumerate() {
                        tr {
                            th scope="row" { (name(comparison, index)) (remarks(comparison, index)) }
                            (values(comparison, index))
                            td {
                                @if let Some(percent) = side.scheduler_cpu_percent() {
                                    (format!("{percent:.2} %"))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn remarks(comparison: &Comparison, index: usize) -> Markup {
    let side = &comparison.sides[index];
    html! {
        @if index == 0 && comparison.sides.len() > 1 {
            small { "baseline" }
        }
        @if side.unserved() > 0 {
            small.bad { (side.unserved()) " not served" }
        }
        @if side.invalid_rounds() > 0 {
            small.bad { (side.invalid_rounds()) " of " (side.rounds.len()) " rounds invalid" }
        }
    }
}

fn values(comparison: &Comparison, index: usize) -> Markup {
    let Some(summary) = comparison.sides[index].summary else {
        return html! { td.nothing colspan="11" { "nothing finished" } };
    };
    let ratio = |figure: &dyn Fn(&Summary) -> f64| {
        let ratio = comparison.ratio(0, index, figure).filter(|_| index > 0);
        html! { @if let Some(ratio) = ratio { (ratio_lines(&ratio)) } }
    };
    html! {
        @for quantity in Quantity::ALL {
            @for statistic in Statistic::ALL {
                td.first[statistic == Statistic::Mean] {
                    (quantity.show(summary.get(quantity, statistic)))
                    (ratio(&|s| s.get(quantity, statistic)))
                }
            }
        }
        td.first {
            (number(summary.switches))
            (ratio(&|s| s.switches))
        }
    }
}

fn ratio_lines(ratio: &Ratio) -> Markup {
    html! {
        span.ratio { (number(ratio.value)) "×" }
        @if let Some(range) = ratio.interval {
            small { (text::interval(range)) }
        }
    }
}

/// The ratio of each contender to each other, where there are more than two.
pub fn each_against_each(comparison: &Comparison) -> Markup {
    if comparison.sides.len() < 3 {
        return html! {};
    }
    html! {
        div.pair {
            @for quantity in Quantity::ALL {
                div.wide {
                    table {
                        caption { "Mean " (quantity.name()) ": row over column" }
                        thead {
                            tr {
                                td {}
                                @for side in 0..comparison.sides.len() {
                                    th scope="col" { (name(comparison, side)) }
                                }
                            }
                        }
                        tbody {
                            @for new in 1..comparison.sides.len() {
                                tr {
                                    th scope="row" { (name(comparison, new)) }
                                    @for old in 0..comparison.sides.len() {
                                        td { (against(comparison, old, new, quantity)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn against(comparison: &Comparison, old: usize, new: usize, quantity: Quantity) -> Markup {
    let ratio = comparison.ratio(old, new, |s| s.get(quantity, Statistic::Mean));
    html! {
        @if let Some(ratio) = ratio.filter(|_| old != new) {
            (ratio_lines(&ratio))
        }
    }
}

/// The functions with most calls.
pub fn functions(comparison: &Comparison) -> Markup {
    let mut rows = comparison.functions();
    let all = rows.len();
    if all > MOST_FUNCTIONS {
        rows.sort_by_key(|row| Reverse(row.calls()));
        rows.truncate(MOST_FUNCTIONS);
    }
    let sides = 0..comparison.sides.len();
    html! {
        div.wide {
            table.functions {
                caption {
                    "Each function"
                    @if all > rows.len() {
                        " of the " (rows.len()) " that are called most; summary.json has all " (all)
                    }
                }
                thead {
                    tr {
                        td colspan="2" {}
                        @for quantity in Quantity::ALL {
                            th.group scope="colgroup" colspan=(sides.len()) { "mean " (quantity.name()) }
                        }
                    }
                    tr {
                        th scope="col" { "function" }
                        th scope="col" { "calls" }
                        @for _ in Quantity::ALL {
                            @for side in sides.clone() {
                                th scope="col" { (name(comparison, side)) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &rows {
                        (function(row))
                    }
                }
            }
        }
    }
}

fn function(row: &FunctionRow) -> Markup {
    html! {
        tr {
            th scope="row" { (clean(row.name)) }
            td { (row.calls()) }
            @for quantity in Quantity::ALL {
                @for (index, summary) in row.summaries.iter().enumerate() {
                    td.first[index == 0] {
                        @match summary {
                            Some(summary) => (quantity.show(summary.get(quantity, Statistic::Mean))),
                            None => "–",
                        }
                        @if let Some(ratio) = row.ratio(index, quantity).filter(|_| index > 0) {
                            span.ratio { (number(ratio)) "×" }
                        }
                    }
                }
            }
        }
    }
}
