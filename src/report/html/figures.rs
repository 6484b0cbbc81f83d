// SPDX-License-Identifier: GPL-2.0-only
//! The few figures one looks for first.

use maud::{Markup, html};

use super::tables::name;
use crate::report::table::number;
use crate::report::{Comparison, Quantity, Statistic, text};

/// More contenders than this are for the table.
const MOST: usize = 6;

const FIGURES: [(&str, Quantity, Statistic); 3] = [
    ("mean response", Quantity::Response, Statistic::Mean),
    ("mean slowdown", Quantity::Slowdown, Statistic::Mean),
    ("p99 slowdown", Quantity::Slowdown, Statistic::P99),
];

/// A card for each contender but the baseline.
pub fn section(comparison: &Comparison) -> Markup {
    let [baseline, others @ ..] = comparison.sides.as_slice() else {
        return html! {};
    };
    if others.is_empty() || others.len() > MOST {
        return html! {};
    }
    html! {
        div.cards {
            @for side in 1..comparison.sides.len() {
                div.card {
                    h3 { (name(comparison, side)) span.against { " over " (baseline.contender) } }
                    dl {
                        @for (title, quantity, statistic) in FIGURES {
                            (figure(comparison, side, title, quantity, statistic))
                        }
                    }
                }
            }
        }
    }
}

fn figure(
    comparison: &Comparison,
    side: usize,
    title: &str,
    quantity: Quantity,
    statistic: Statistic,
) -> Markup {
    let ratio = comparison.ratio(0, side, |summary| summary.get(quantity, statistic));
    html! {
        div {
            dt { (title) }
            @match ratio {
                None => dd { "–" },
                Some(ratio) => dd {
                    (number(ratio.value)) "×"
                    @if let Some(range) = ratio.interval {
                        small { (text::interval(range)) }
                    }
                },
            }
        }
    }
}
