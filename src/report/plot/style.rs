// SPDX-License-Identifier: GPL-2.0-only
//! How contenders are told apart.

/// A colour and a pattern of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub colour: &'static str,
    /// Lengths of dashes and gaps; `None` is a solid line.
    pub dashes: Option<&'static str>,
}

/// Colours that people with any kind of colour vision can tell apart; from
/// Okabe and Ito, *Color Universal Design*, 2008. Yellow is left out: too
/// faint on white.
const COLOURS: [&str; 7] = [
    "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
];

const DASHES: [Option<&str>; 3] = [None, Some("7 3"), Some("2 3")];

impl Style {
    /// The style of the side of this index. After 21 they repeat.
    pub fn of(index: usize) -> Self {
        Self {
            colour: COLOURS[index % COLOURS.len()],
            dashes: DASHES[index / COLOURS.len() % DASHES.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_one_styles_differ() {
        let styles: Vec<_> = (0..21).map(Style::of).collect();
        for (index, style) in styles.iter().enumerate() {
            assert!(!styles[..index].contains(style));
        }
        assert_eq!(Style::of(21), Style::of(0));
    }
}
