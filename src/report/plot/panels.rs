// SPDX-License-Identifier: GPL-2.0-only
//! Curves in panels: figures of many runs, such as a ratio over the load.

use maud::html;

use super::frame::{self, Area, Frame};
use super::svg::{self, INK};
use super::{Plot, Scale, Style, WIDTH};

/// Panels that share a quantity, side by side.
pub struct Row {
    /// What is above a panel, and in which unit.
    pub y_title: &'static str,
    pub panels: Vec<Panel>,
}

pub struct Panel {
    pub title: String,
    /// For each key its points, in the order of `x`.
    pub curves: Vec<Vec<[f64; 2]>>,
}

/// How the horizontal axes of all panels are.
pub struct Across {
    pub title: &'static str,
    pub logarithmic: bool,
}

const LEFT: f64 = 50.0;
const GAP: f64 = 44.0;
/// For the keys above all panels.
const TOP: f64 = 40.0;
const ROW: f64 = 300.0;
const HEADROOM: f64 = 62.0;
const FOOT: f64 = 52.0;

/// A plot of several rows of panels, one curve a key. Vertical axes begin at 0;
/// what is below is drawn there.
pub fn panels(
    name: &'static str,
    title: &'static str,
    caption: &'static str,
    across: &Across,
    keys: &[String],
    rows: &[Row],
) -> Plot {
    let height = TOP + ROW * rows.len() as f64;
    let mut x = LEFT;
    let places: Vec<f64> = keys
        .iter()
        .map(|key| {
            let place = x;
            x += svg::key_width(key) + 18.0;
            place
        })
        .collect();
    let body = html! {
        @for (index, (key, place)) in keys.iter().zip(places).enumerate() {
            (svg::key([place, 22.0], Style::of(index), key))
        }
        @for (index, row) in rows.iter().enumerate() {
            @let top = TOP + ROW * index as f64;
            @for (place, panel) in row.panels.iter().enumerate() {
                @let area = area(place, row.panels.len(), top);
                @let points = || panel.curves.iter().flatten();
                @let frame = Frame {
                    area,
                    x: if across.logarithmic {
                        Scale::log(points().map(|[x, _]| *x), area.horizontal())
                    } else {
                        Scale::linear_from_zero(points().map(|[x, _]| *x), area.horizontal())
                    },
                    y: Scale::linear_from_zero(points().map(|[_, y]| *y), area.vertical()),
                    x_title: across.title,
                    y_title: if place == 0 { row.y_title } else { "" },
                    headroom: 32.0,
                    x_mark: frame::plain,
                    y_mark: frame::plain,
                };
                (frame.draw())
                (svg::label([area.left, area.top - 10.0], "start", INK, &panel.title))
                @for (index, curve) in panel.curves.iter().enumerate() {
                    @let style = Style::of(index);
                    @let places = curve.iter().map(|&[x, y]| frame.place(x, y));
                    (svg::curve(style, places.clone()))
                    @for place in places {
                        (svg::dot(place, 2.5, style))
                    }
                }
            }
        }
    };
    Plot::new(name, name, [WIDTH, height], title, caption, body)
}

fn area(place: usize, panels: usize, top: f64) -> Area {
    let count = panels.max(1) as f64;
    let width = (WIDTH - LEFT - 14.0 - GAP * (count - 1.0)) / count;
    let left = LEFT + (width + GAP) * place as f64;
    Area {
        left,
        top: top + HEADROOM,
        right: left + width,
        bottom: top + ROW - FOOT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_curve_in_every_panel() {
        let panel = |title: &str| Panel {
            title: title.into(),
            curves: vec![vec![[0.5, 1.0], [0.9, 12.0]], vec![[0.5, f64::NAN]]],
        };
        let rows = [Row {
            y_title: "more, %",
            panels: vec![panel("one"), panel("two")],
        }];
        let across = Across {
            title: "load",
            logarithmic: false,
        };
        let keys = ["avg".to_owned(), "gittins".to_owned()];
        let text = panels("a", "b", "c", &across, &keys, &rows).file();
        // Two in the keys, and two in each of two panels.
        assert_eq!(text.matches("<polyline").count(), 6, "{text}");
        assert!(!text.contains("NaN"));
    }
}
