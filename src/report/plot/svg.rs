// SPDX-License-Identifier: GPL-2.0-only
//! The parts all plots are drawn of. Drawings stand alone as SVG files and go
//! as they are into HTML.

use std::fmt::Write;

use maud::{Markup, html};

use super::Style;

pub const INK: &str = "#1b1f24";
pub const MUTED: &str = "#57606a";
const GRID: &str = "#e3e6ea";

/// Size of text, in pixels.
pub const TEXT: f64 = 13.0;

/// About the width of a text of normal size.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * TEXT * 0.56
}

/// A coordinate: numbers only, a tenth of a pixel is fine enough.
pub fn px(place: f64) -> String {
    debug_assert!(place.is_finite());
    format!("{place:.1}")
}

/// Coordinates as a polyline takes them.
pub fn points(places: impl IntoIterator<Item = [f64; 2]>) -> String {
    let mut text = String::new();
    for [x, y] in places {
        let blank = if text.is_empty() { "" } else { " " };
        // Writing to a String does not fail.
        let _ = write!(text, "{blank}{},{}", px(x), px(y));
    }
    text
}

/// A whole drawing. `id` is to be different from all others of a document.
pub fn drawing(
    id: &str,
    [width, height]: [f64; 2],
    title: &str,
    about: &str,
    body: Markup,
) -> Markup {
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox=(format!("0 0 {width} {height}")) role="img"
            aria-labelledby=(format!("{id}-title {id}-about"))
            font-family="system-ui, 'DejaVu Sans', Arial, sans-serif" font-size=(TEXT) fill=(INK)
        {
            title id=(format!("{id}-title")) { (clean(title)) }
            desc id=(format!("{id}-about")) { (clean(about)) }
            rect width=(width) height=(height) fill="white" {}
            (body)
        }
    }
}

/// Text without what neither XML nor a reader can bear. Markup is escaped
/// where it is written.
pub fn clean(text: &str) -> String {
    let unfit = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if unfit(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Text cut to a length that plots have room for.
pub fn short(text: &str) -> String {
    const MOST: usize = 24;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(MOST - 1).collect();
    format!("{begin}…")
}

/// Text with its base line at `y`; `anchor` is `start`, `middle` or `end`.
pub fn label([x, y]: [f64; 2], anchor: &str, fill: &str, text: &str) -> Markup {
    html! { text x=(px(x)) y=(px(y)) text-anchor=(anchor) fill=(fill) { (clean(text)) } }
}

/// A faint line.
pub fn grid_line([x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> Markup {
    html! { line x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) stroke=(GRID) {} }
}

/// A line in a contender's style.
pub fn curve(style: Style, places: impl IntoIterator<Item = [f64; 2]>) -> Markup {
    html! {
        polyline points=(points(places)) fill="none" stroke=(style.colour) stroke-width="2"
            stroke-dasharray=[style.dashes] stroke-linejoin="round" {}
    }
}

pub fn dot([x, y]: [f64; 2], radius: f64, style: Style) -> Markup {
    html! { circle cx=(px(x)) cy=(px(y)) r=(radius) fill=(style.colour) {} }
}

/// A sample of a contender's line, with its name; both at most `width` wide.
pub fn key([x, y]: [f64; 2], style: Style, name: &str) -> Markup {
    html! {
        (curve(style, [[x, y - 4.5], [x + KEY_LINE, y - 4.5]]))
        (dot([x + KEY_LINE / 2.0, y - 4.5], 3.0, style))
        (label([x + KEY_LINE + 8.0, y], "start", INK, name))
    }
}

const KEY_LINE: f64 = 28.0;

/// What a key takes.
pub fn key_width(name: &str) -> f64 {
    KEY_LINE + 8.0 + text_width(name)
}

/// Keys below each other, their right lower corner at `corner`.
pub fn legend([right, bottom]: [f64; 2], entries: &[(Style, String)]) -> Markup {
    let line = 20.0;
    let width = entries
        .iter()
        .map(|(_, name)| key_width(name))
        .fold(0.0, f64::max)
        + 20.0;
    let height = entries.len() as f64 * line + 10.0;
    let [left, top] = [right - width, bottom - height];
    html! {
        rect x=(px(left)) y=(px(top)) width=(px(width)) height=(px(height)) rx="4"
            fill="white" fill-opacity="0.85" stroke=(GRID) {}
        @for (row, (style, name)) in (1..).map(f64::from).zip(entries) {
            (key([left + 10.0, top + row * line], *style, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let drawing = drawing("a", [10.0, 10.0], "<script>", "\u{0}&\u{1b}", html! {});
        let text = drawing.into_string();
        assert!(text.contains("&lt;script&gt;"), "{text}");
        assert!(text.contains("\u{fffd}&amp;\u{fffd}"), "{text}");
    }
}
