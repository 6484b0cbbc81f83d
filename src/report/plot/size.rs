// SPDX-License-Identifier: GPL-2.0-only
//! Response by how much CPU time functions take.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::frame::{self, Area, Frame};
use super::svg::{self, MUTED};
use super::{Plot, Scale, Style, WIDTH, keys};
use crate::report::{Comparison, Distribution, Outcome, Side, Statistic};

pub const NAME: &str = "response-by-size";

const HEIGHT: f64 = 400.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = HEIGHT - 50.0;
const PANELS: [Area; 2] = [
    Area {
        left: 66.0,
        top: TOP,
        right: WIDTH / 2.0 - 15.0,
        bottom: BOTTOM,
    },
    Area {
        left: WIDTH / 2.0 + 66.0,
        top: TOP,
        right: WIDTH - 20.0,
        bottom: BOTTOM,
    },
];

/// More functions than this are grouped by size.
const MOST_FUNCTIONS: usize = 24;

/// Groups of functions per tenfold of CPU time.
const GROUPS_PER_DECADE: f64 = 4.0;

const NS_PER_MS: f64 = 1e6;

/// Functions of about the same size.
struct Group {
    /// The mean time one call takes with the machine to itself.
    alone_ms: f64,
    response_ms: Distribution,
}

/// Mean and 99th percentile of the response over the CPU time, on each side.
pub fn plot(comparison: &Comparison, id: &str) -> Plot {
    let grouped = comparison.setting.functions.len() > MOST_FUNCTIONS;
    let sides: Vec<Vec<Group>> = comparison
        .sides
        .iter()
        .map(|s| groups(s, grouped))
        .collect();
    let body = html! {
        @for (area, statistic) in PANELS.into_iter().zip([Statistic::Mean, Statistic::P99]) {
            (panel(area, &sides, statistic))
            (svg::legend([area.right - 8.0, area.bottom - 8.0], &keys(comparison)))
        }
    };
    Plot::new(
        NAME,
        id,
        [WIDTH, HEIGHT],
        "Response of short and long functions",
        if grouped {
            "Left the mean, right the 99th percentile. A dot is a group of functions of about \
             the same CPU time; on the dotted line calls are not slowed down at all."
        } else {
            "Left the mean, right the 99th percentile. A dot is a function; on the dotted line \
             calls are not slowed down at all."
        },
        body,
    )
}

fn panel(area: Area, sides: &[Vec<Group>], statistic: Statistic) -> Markup {
    let all = || sides.iter().flatten();
    let alone = || all().map(|group| group.alone_ms);
    // Both panels share a scale, so that they can be compared.
    let responses = all().flat_map(|group| [group.response_ms.mean, group.response_ms.p99]);
    let y_title = match statistic {
        Statistic::P99 => "99th percentile of the response",
        _ => "mean response",
    };
    let frame = Frame {
        area,
        x: Scale::log(alone(), area.horizontal()),
        y: Scale::log(alone().chain(responses), area.vertical()),
        x_title: "CPU time of a call",
        y_title,
        headroom: 12.0,
        x_mark: frame::milliseconds,
        y_mark: frame::milliseconds,
    };
    let ends = [0.0, 1.0].map(|part| frame.x.value_at(part));
    // Both scales cover the diagonal's range but for the last bit.
    let diagonal = ends.map(|ms| frame.place(ms, ms));
    html! {
        (frame.draw())
        polyline points=(svg::points(diagonal)) stroke=(MUTED) stroke-dasharray="1 4" fill="none" {}
        @for (index, groups) in sides.iter().enumerate() {
            @let style = Style::of(index);
            @let places = groups.iter().map(|group| {
                frame.place(group.alone_ms, group.response_ms.get(statistic))
            });
            (svg::curve(style, places.clone()))
            @for place in places {
                (svg::dot(place, 3.5, style))
            }
        }
    }
}

/// In the order of their sizes.
fn groups(side: &Side, grouped: bool) -> Vec<Group> {
    let mut members: BTreeMap<i64, Vec<&Outcome>> = BTreeMap::new();
    for outcome in side.outcomes() {
        let key = if grouped {
            let ms = (outcome.alone_ns().max(1)) as f64 / NS_PER_MS;
            (ms.log10() * GROUPS_PER_DECADE).floor() as i64
        } else {
            i64::from(outcome.function)
        };
        members.entry(key).or_default().push(outcome);
    }
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let group = |outcomes: &Vec<&Outcome>| {
        let alone = outcomes.iter().map(|o| ms(o.alone_ns()));
        let responses = outcomes.iter().map(|o| ms(o.response_ns()));
        Some(Group {
            alone_ms: Distribution::of(alone.collect())?.mean,
            response_ms: Distribution::of(responses.collect())?,
        })
    };
    let mut groups: Vec<Group> = members.values().filter_map(group).collect();
    groups.sort_by(|a, b| a.alone_ms.total_cmp(&b.alone_ms));
    groups
}
