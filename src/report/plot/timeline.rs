// SPDX-License-Identifier: GPL-2.0-only
//! Slowdown over the time of a run.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::course::{AREA, Course, HEIGHT, Span, seconds};
use super::frame::Frame;
use super::{Plot, Scale, Style, WIDTH, svg};
use crate::report::Comparison;

pub const NAME: &str = "timeline";

/// Calls that arrived in the same short time.
struct Bin {
    /// The middle of that time.
    at_s: f64,
    mean: f64,
    worst: f64,
}

/// Mean and worst slowdown of the calls, by when they arrived.
pub fn plot(comparison: &Comparison, id: &str) -> Plot {
    let course = Course::of(comparison);
    let rounds: Vec<(&Span, Vec<Bin>)> = course
        .spans
        .iter()
        .map(|span| (span, bins(span, course.bin_ns)))
        .collect();
    let values = rounds.iter().flat_map(|(_, bins)| bins);
    let values = values.flat_map(|bin| [bin.mean, bin.worst]);
    let y = Scale::log(values, AREA.vertical());
    let frame = course.frame(y, "slowdown of the calls that arrive");
    let body = html! {
        (frame.draw())
        (course.bands(comparison, &frame))
        @for (span, bins) in &rounds {
            (round(&frame, Style::of(span.side), bins))
        }
        (course.keys(comparison))
    };
    Plot::new(
        NAME,
        id,
        [WIDTH, HEIGHT],
        "The run, round by round",
        "Each band is a round under one scheduler; the dashed lines are where they are switched. \
         The line is the mean slowdown of the calls that arrive at that time, the bars reach to \
         the worst of them.",
        body,
    )
}

fn round(frame: &Frame, style: Style, bins: &[Bin]) -> Markup {
    let bars: String = bins
        .iter()
        .map(|bin| {
            let [x, y] = frame.place(bin.at_s, bin.mean);
            let [_, worst] = frame.place(bin.at_s, bin.worst);
            format!("M{} {}V{}", svg::px(x), svg::px(y), svg::px(worst))
        })
        .collect();
    html! {
        path d=(bars) stroke=(style.colour) stroke-opacity="0.3" fill="none" {}
        (svg::curve(style, bins.iter().map(|bin| frame.place(bin.at_s, bin.mean))))
        @if let [only] = bins {
            (svg::dot(frame.place(only.at_s, only.mean), 2.0, style))
        }
    }
}

fn bins(span: &Span, bin_ns: u64) -> Vec<Bin> {
    let mut bins: BTreeMap<u64, (u32, f64, f64)> = BTreeMap::new();
    for outcome in &span.round.outcomes {
        let slowdown = outcome.slowdown();
        let (count, sum, worst) = bins.entry(outcome.arrival_ns / bin_ns).or_default();
        *count += 1;
        *sum += slowdown;
        *worst = slowdown.max(*worst);
    }
    let bin = |(index, (count, sum, worst)): (u64, (u32, f64, f64))| Bin {
        at_s: seconds(span.start_ns) + (index as f64 + 0.5) * seconds(bin_ns),
        mean: sum / f64::from(count),
        worst,
    };
    bins.into_iter().map(bin).collect()
}
