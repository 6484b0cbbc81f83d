// SPDX-License-Identifier: GPL-2.0-only
//! Two axes with their marks, and what is between them.

use maud::{Markup, html};

use super::Scale;
use super::svg::{self, MUTED};

/// An area between two axes. The title of the vertical axis stands above it,
/// where it can be read without turning one's head.
pub struct Frame<'a> {
    pub area: Area,
    pub x: Scale,
    pub y: Scale,
    pub x_title: &'a str,
    pub y_title: &'a str,
    /// From the area up to the vertical axis' title.
    pub headroom: f64,
    /// A mark's text.
    pub x_mark: fn(f64) -> String,
    pub y_mark: fn(f64) -> String,
}

/// A rectangle, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    /// Where a horizontal scale begins and ends.
    pub fn horizontal(&self) -> [f64; 2] {
        [self.left, self.right]
    }

    /// Where a vertical scale begins and ends: upwards.
    pub fn vertical(&self) -> [f64; 2] {
        [self.bottom, self.top]
    }
}

impl Frame<'_> {
    pub fn place(&self, x: f64, y: f64) -> [f64; 2] {
        [self.x.place(x), self.y.place(y)]
    }

    /// The axes; what is drawn after them lies above them.
    pub fn draw(&self) -> Markup {
        let Area {
            left,
            top,
            right,
            bottom,
        } = self.area;
        let middle = (left + right) / 2.0;
        html! {
            @for tick in self.y.ticks() {
                @let y = self.y.place(tick);
                (svg::grid_line([left, y], [right, y]))
                (svg::label([left - 8.0, y + 4.5], "end", MUTED, &(self.y_mark)(tick)))
            }
            @for tick in self.x.ticks() {
                @let x = self.x.place(tick);
                (svg::grid_line([x, top], [x, bottom]))
                (svg::label([x, bottom + 18.0], "middle", MUTED, &(self.x_mark)(tick)))
            }
            line x1=(svg::px(left)) y1=(svg::px(bottom)) x2=(svg::px(right)) y2=(svg::px(bottom))
                stroke=(MUTED) {}
            (svg::label([middle, bottom + 38.0], "middle", MUTED, self.x_title))
            (svg::label([left - 50.0, top - self.headroom], "start", MUTED, self.y_title))
        }
    }
}

/// A mark without a unit.
pub fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        1e-3..1e6 => format!("{}", (value * 1e4).round() / 1e4),
        _ => format!("{value:.0e}"),
    }
}

/// A time of so many milliseconds.
pub fn milliseconds(ms: f64) -> String {
    match ms.abs() {
        0.0 => "0".into(),
        1e3.. => format!("{} s", plain(ms / 1e3)),
        1.0..1e3 => format!("{} ms", plain(ms)),
        1e-3..1.0 => format!("{} µs", plain(ms * 1e3)),
        _ => format!("{} ns", plain(ms * 1e6)),
    }
}

/// A share of 1 in percent.
pub fn percent(share: f64) -> String {
    format!("{} %", plain(share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_well() {
        assert_eq!(plain(0.0), "0");
        assert_eq!(plain(20.0), "20");
        assert_eq!(plain(0.5), "0.5");
        assert_eq!(plain(2e9), "2e9");
        assert_eq!(milliseconds(0.2), "200 µs");
        assert_eq!(milliseconds(50.0), "50 ms");
        assert_eq!(milliseconds(5000.0), "5 s");
        assert_eq!(percent(0.999), "99.9 %");
    }
}
