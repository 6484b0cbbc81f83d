// SPDX-License-Identifier: GPL-2.0-only
//! The course of a run: its rounds on one axis of time.

use maud::{Markup, html};

use super::frame::{self, Area, Frame};
use super::svg::{self, MUTED};
use super::{Scale, Style, WIDTH, keys};
use crate::report::{Comparison, Round};

pub const HEIGHT: f64 = 320.0;
pub const AREA: Area = Area {
    left: 66.0,
    top: 62.0,
    right: WIDTH - 20.0,
    bottom: HEIGHT - 50.0,
};

const NS_PER_S: f64 = 1e9;

/// The finest a plot shows, over the whole width.
const BINS: f64 = 300.0;

/// Where the rounds of a comparison are in time.
pub struct Course<'a> {
    pub spans: Vec<Span<'a>>,
    /// How much time a point of a plot stands for; at least 1 ns.
    pub bin_ns: u64,
    end_ns: u64,
}

/// A round's time in the course.
pub struct Span<'a> {
    pub round: &'a Round,
    /// Index of its side.
    pub side: usize,
    pub start_ns: u64,
    pub end_ns: u64,
}

impl<'a> Course<'a> {
    /// The rounds that took time of the run, or all of them one after the
    /// other if none did.
    pub fn of(comparison: &Comparison<'a>) -> Self {
        let sides = comparison.sides.iter().enumerate();
        let rounds: Vec<(usize, &Round)> = sides
            .flat_map(|(index, side)| side.rounds.iter().map(move |&round| (index, round)))
            .filter(|(_, round)| !round.outcomes.is_empty())
            .collect();
        let span = |side, round, start_ns: u64| Span {
            round,
            side,
            start_ns,
            end_ns: start_ns.saturating_add(length_ns(round)),
        };
        let mut spans: Vec<Span> = rounds
            .iter()
            .filter_map(|&(side, round)| Some(span(side, round, round.start_ns?)))
            .collect();
        if spans.is_empty() {
            let mut start_ns = 0;
            for (side, round) in rounds {
                spans.push(span(side, round, start_ns));
                start_ns = spans.last().map_or(0, |span| span.end_ns);
            }
        }
        spans.sort_by_key(|span| span.start_ns);
        // A setting's rounds may begin late in the run.
        let first_ns = spans.first().map_or(0, |span| span.start_ns);
        for span in &mut spans {
            span.start_ns -= first_ns;
            span.end_ns -= first_ns;
        }
        let end_ns = spans.iter().map(|span| span.end_ns).max().unwrap_or(0);
        Self {
            spans,
            bin_ns: ((end_ns as f64 / BINS) as u64).max(1),
            end_ns,
        }
    }

    pub fn x(&self) -> Scale {
        Scale::linear_to(seconds(self.end_ns), AREA.horizontal())
    }

    /// The rounds as bands, with the moments of switching between them.
    pub fn bands(&self, comparison: &Comparison, frame: &Frame) -> Markup {
        html! {
            @for span in &self.spans {
                @let [left, right] = [span.start_ns, span.end_ns].map(|ns| frame.x.place(seconds(ns)));
                @let name = comparison.sides[span.side].contender.to_string();
                @let seed = format!("seed {}", span.round.seed);
                @let colour = Style::of(span.side).colour;
                rect x=(svg::px(left)) y=(svg::px(AREA.top)) width=(svg::px(right - left))
                    height=(svg::px(AREA.bottom - AREA.top)) fill=(colour) fill-opacity="0.07" {
                    title { (svg::clean(&format!("{name}, {seed}"))) }
                }
                line x1=(svg::px(left)) y1=(svg::px(AREA.top - 16.0)) x2=(svg::px(left))
                    y2=(svg::px(AREA.bottom)) stroke=(colour) stroke-dasharray="3 3" {}
                @let room = right - left - 8.0;
                @let full = format!("{name}, {seed}");
                @if svg::text_width(&full) < room {
                    (svg::label([left + 4.0, AREA.top - 5.0], "start", MUTED, &full))
                } @else if svg::text_width(&name) < room {
                    (svg::label([left + 4.0, AREA.top - 5.0], "start", MUTED, &name))
                }
            }
        }
    }

    /// Who is who, above the plot.
    pub fn keys(&self, comparison: &Comparison) -> Markup {
        let entries = keys(comparison);
        let mut x = AREA.right;
        let mut places = Vec::new();
        for (style, name) in entries.into_iter().rev() {
            x -= svg::key_width(&name);
            places.push(([x, 22.0], style, name));
            x -= 16.0;
        }
        // Too many for the line: the bands have names on hovering.
        places.retain(|&([x, _], ..)| x > WIDTH / 3.0);
        html! {
            @for (place, style, name) in &places {
                (svg::key(*place, *style, name))
            }
        }
    }

    /// A frame whose horizontal axis is the time of the run.
    pub fn frame<'f>(&self, y: Scale, y_title: &'f str) -> Frame<'f> {
        Frame {
            area: AREA,
            x: self.x(),
            y,
            x_title: "time since the first round began, in seconds",
            y_title,
            headroom: 40.0,
            x_mark: frame::plain,
            y_mark: frame::plain,
        }
    }
}

pub fn seconds(ns: u64) -> f64 {
    ns as f64 / NS_PER_S
}

/// From the start of a round to its last event.
fn length_ns(round: &Round) -> u64 {
    let ends = round.outcomes.iter().map(|o| o.end_ns.max(o.arrival_ns));
    ends.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::super::Contender;
    use super::super::super::samples::{MS, outcome, run};
    use super::*;

    fn starts(start_ns: [Option<u64>; 2]) -> Vec<u64> {
        let round = |start_ns| Round {
            start_ns,
            ..Round::new(0, Contender::new("EEVDF"), 1, vec![outcome(0, 5, 10, 1)])
        };
        let run = run(start_ns.map(round).into());
        let comparison = Comparison::of(&run, 0).unwrap();
        let course = Course::of(&comparison);
        course.spans.iter().map(|span| span.start_ns).collect()
    }

    #[test]
    fn rounds_are_where_they_were_in_the_run() {
        assert_eq!(starts([Some(9 * MS), Some(40 * MS)]), [0, 31 * MS]);
    }

    #[test]
    fn a_simulated_round_beside_measured_ones_has_no_time() {
        assert_eq!(starts([None, Some(40 * MS)]), [0]);
    }

    #[test]
    fn simulated_rounds_follow_each_other() {
        assert_eq!(starts([None, None]), [0, 15 * MS]);
    }
}
