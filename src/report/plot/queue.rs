// SPDX-License-Identifier: GPL-2.0-only
//! How many calls are under way, over the time of a run.

use maud::{Markup, html};

use super::course::{AREA, Course, HEIGHT, Span, seconds};
use super::frame::Frame;
use super::svg::{self, MUTED};
use super::{Plot, Scale, Style, WIDTH};
use crate::report::{Comparison, Outcome};

pub const NAME: &str = "queue";

/// A short time in which calls come and go.
#[derive(Clone, Debug, PartialEq)]
struct Bin {
    /// The mean over that time.
    mean: f64,
    most: u64,
}

/// Mean and greatest number of calls that have arrived and not ended.
pub fn plot(comparison: &Comparison, id: &str) -> Plot {
    let course = Course::of(comparison);
    let rounds: Vec<(&Span, Vec<Bin>)> = course
        .spans
        .iter()
        .map(|span| (span, bins(&span.round.outcomes, course.bin_ns)))
        .collect();
    let most = rounds
        .iter()
        .flat_map(|(_, bins)| bins)
        .map(|bin| bin.most as f64);
    let y = Scale::linear_from_zero(most, AREA.vertical());
    let frame = course.frame(y, "calls under way");
    let cpus = frame.y.place(f64::from(comparison.setting.cpus));
    let body = html! {
        (frame.draw())
        (course.bands(comparison, &frame))
        line x1=(svg::px(AREA.left)) y1=(svg::px(cpus)) x2=(svg::px(AREA.right)) y2=(svg::px(cpus))
            stroke=(MUTED) stroke-dasharray="1 4" {}
        @for (span, bins) in &rounds {
            (round(&frame, span, bins, course.bin_ns))
        }
        (course.keys(comparison))
    };
    Plot::new(
        NAME,
        id,
        [WIDTH, HEIGHT],
        "How many calls are under way",
        "Calls that have arrived and not ended, the running ones included; the dotted line is \
         the number of CPUs. The line is the mean over a short time, the shade reaches to the \
         greatest number.",
        body,
    )
}

fn round(frame: &Frame, span: &Span, bins: &[Bin], bin_ns: u64) -> Markup {
    let style = Style::of(span.side);
    let at = |index: usize| seconds(span.start_ns) + (index as f64 + 0.5) * seconds(bin_ns);
    let places = |value: fn(&Bin) -> f64| {
        let bins = bins.iter().enumerate();
        bins.map(move |(index, bin)| frame.place(at(index), value(bin)))
    };
    let above = places(|bin| bin.most as f64);
    let below = places(|bin| bin.mean).rev();
    html! {
        polygon points=(svg::points(above.chain(below))) fill=(style.colour) fill-opacity="0.25" {}
        (svg::curve(style, places(|bin| bin.mean)))
    }
}

/// From the start of the round to its end.
fn bins(outcomes: &[Outcome], bin_ns: u64) -> Vec<Bin> {
    let arrivals = outcomes.iter().map(|o| (o.arrival_ns, 1));
    let ends = outcomes.iter().map(|o| (o.end_ns.max(o.arrival_ns), -1));
    let mut events: Vec<(u64, i64)> = arrivals.chain(ends).collect();
    // An end and an arrival at the same time: the end comes first.
    events.sort_unstable();
    let mut bins = Vec::new();
    let mut events = events.into_iter().peekable();
    let mut under_way: i64 = 0;
    let mut begin_ns: u64 = 0;
    while events.peek().is_some() {
        let end_ns = begin_ns.saturating_add(bin_ns);
        let (mut now_ns, mut area, mut most) = (begin_ns, 0.0, under_way);
        while let Some((at_ns, change)) =
            events.next_if(|&(at, _)| at < end_ns || end_ns == u64::MAX)
        {
            area += (at_ns - now_ns) as f64 * under_way as f64;
            now_ns = at_ns;
            under_way += change;
            most = most.max(under_way);
        }
        area += (end_ns - now_ns) as f64 * under_way as f64;
        bins.push(Bin {
            mean: area / bin_ns as f64,
            most: most.unsigned_abs(),
        });
        begin_ns = end_ns;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{MS, outcome};
    use super::*;

    #[test]
    fn calls_are_counted_from_arrival_to_end() {
        let outcomes = [
            outcome(0, 0, 15, 1),
            outcome(0, 5, 5, 1),
            outcome(0, 25, 0, 1),
        ];
        let bins = bins(&outcomes, 10 * MS);
        let expected = [(1.5, 2), (0.5, 2), (0.0, 0)];
        let got: Vec<_> = bins.iter().map(|bin| (bin.mean, bin.most)).collect();
        assert_eq!(got, expected);
    }
}
