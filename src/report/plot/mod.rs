// SPDX-License-Identifier: GPL-2.0-only
//! A run in pictures.
//!
//! They are drawn here and not by a plotting library, because they carry
//! titles and descriptions for those who cannot see them, stand as files and
//! within HTML alike, and are few.

mod course;
mod frame;
pub mod panels;
mod queue;
mod scale;
mod size;
mod slowdown;
mod style;
mod svg;
mod timeline;

use maud::Markup;

use super::Comparison;
use scale::Scale;
use style::Style;
pub use svg::clean;

/// Of every drawing, in pixels.
const WIDTH: f64 = 1000.0;

/// A picture with what it says.
pub struct Plot {
    /// Of the file, without its ending.
    pub name: &'static str,
    pub title: &'static str,
    /// How to read it.
    pub caption: &'static str,
    /// The drawing, an SVG element.
    pub svg: Markup,
}

impl Plot {
    /// `id` is to be different for each setting of a document.
    fn new(
        name: &'static str,
        id: &str,
        size: [f64; 2],
        title: &'static str,
        caption: &'static str,
        body: Markup,
    ) -> Self {
        Self {
            name,
            title,
            caption,
            svg: svg::drawing(&format!("{id}-{name}"), size, title, caption, body),
        }
    }

    /// The drawing as a file.
    pub fn file(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n",
            self.svg.0
        )
    }
}

/// The names of all pictures.
pub const NAMES: [&str; 4] = [slowdown::NAME, size::NAME, timeline::NAME, queue::NAME];

/// All pictures of a comparison. `id` is to be different for each setting.
pub fn plots(comparison: &Comparison, id: &str) -> Vec<Plot> {
    vec![
        slowdown::plot(comparison, id),
        size::plot(comparison, id),
        timeline::plot(comparison, id),
        queue::plot(comparison, id),
    ]
}

/// The sides' names, short enough for a plot, and styles.
fn keys(comparison: &Comparison) -> Vec<(Style, String)> {
    let sides = comparison.sides.iter().enumerate();
    sides
        .map(|(index, side)| (Style::of(index), svg::short(&side.contender.to_string())))
        .collect()
}

/// The colour of the side of this index.
pub fn colour(side: usize) -> &'static str {
    Style::of(side).colour
}
