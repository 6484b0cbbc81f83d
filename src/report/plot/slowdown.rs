// SPDX-License-Identifier: GPL-2.0-only
//! The distribution of slowdown.

use maud::html;

use super::frame::{self, Area, Frame};
use super::{Plot, Scale, Style, WIDTH, keys, svg};
use crate::report::{Comparison, Outcome};

const HEIGHT: f64 = 380.0;
const AREA: Area = Area {
    left: 66.0,
    top: 34.0,
    right: WIDTH - 20.0,
    bottom: HEIGHT - 50.0,
};

pub const NAME: &str = "slowdown";

/// Points of a curve; more could not be seen.
const POINTS: usize = 500;

/// The share of calls that were slowed down at most so much, on each side.
pub fn plot(comparison: &Comparison, id: &str) -> Plot {
    let samples: Vec<Vec<f64>> = comparison
        .sides
        .iter()
        .map(|side| {
            let mut sample: Vec<f64> = side.outcomes().map(Outcome::slowdown).collect();
            sample.sort_by(f64::total_cmp);
            sample
        })
        .collect();
    let most = samples.iter().map(Vec::len).max().unwrap_or(0);
    let ends = samples
        .iter()
        .flat_map(|s| s.first().into_iter().chain(s.last()));
    let frame = Frame {
        area: AREA,
        x: Scale::log(ends.copied(), AREA.horizontal()),
        y: Scale::nines(most, AREA.vertical()),
        x_title: "slowdown: response over the response with the machine to itself",
        y_title: "share of calls slowed down at most so much",
        headroom: 12.0,
        x_mark: frame::plain,
        y_mark: frame::percent,
    };
    let body = html! {
        (frame.draw())
        @for (index, sample) in samples.iter().enumerate() {
            (svg::curve(Style::of(index), curve(&frame, sample)))
        }
        (svg::legend([AREA.right - 8.0, AREA.bottom - 8.0], &keys(comparison)))
    };
    Plot::new(
        NAME,
        id,
        [WIDTH, HEIGHT],
        "How many calls are slowed down how much",
        "The further left and the steeper a curve, the better. 90 % and 99 % are as far apart \
         as 99 % and 99.9 %, so the slowest calls can be seen.",
        body,
    )
}

fn curve(frame: &Frame, sample: &[f64]) -> Vec<[f64; 2]> {
    let Some(last) = sample.len().checked_sub(1) else {
        return Vec::new();
    };
    let parts = (0..=POINTS).map(|index| index as f64 / POINTS as f64);
    let point = |part| {
        let share = frame.y.value_at(part);
        let rank = (share * sample.len() as f64).ceil() as usize;
        frame.place(sample[rank.saturating_sub(1).min(last)], share)
    };
    parts.map(point).collect()
}
