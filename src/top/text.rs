// SPDX-License-Identifier: GPL-2.0-only
//! Text measured in terminal columns, not in bytes.

use ratatui::style::Style;
use ratatui::text::Span;

/// Text from elsewhere, fit for a terminal: no more than `max_chars`, and what
/// does not show as itself replaced.
pub fn clean(text: &str, max_chars: usize) -> String {
    let printable = |c: char| matches!(c, '\\' | '\'' | '"') || c.escape_debug().len() == 1;
    text.chars()
        .take(max_chars)
        .map(|c| if printable(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Columns the text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// What the reader sees as characters.
fn graphemes(text: &str) -> Vec<String> {
    Span::raw(text)
        .styled_graphemes(Style::new())
        .map(|grapheme| grapheme.symbol.to_owned())
        .collect()
}

/// As many of `graphemes` as fit in `columns`.
fn fitting<'a>(graphemes: impl Iterator<Item = &'a String>, columns: usize) -> Vec<&'a str> {
    let mut left = columns;
    graphemes
        .map_while(|grapheme| {
            left = left.checked_sub(width(grapheme))?;
            Some(grapheme.as_str())
        })
        .collect()
}

/// The text in at most `columns`, by leaving out its middle: names differ at
/// their ends.
pub fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(left) = columns.checked_sub(1) else {
        return String::new();
    };
    let graphemes = graphemes(text);
    let head = fitting(graphemes.iter(), left.div_ceil(2));
    let mut tail = fitting(graphemes.iter().rev(), left / 2);
    tail.reverse();
    format!("{}…{}", head.concat(), tail.concat())
}

/// The text flush left in `columns`.
pub fn left(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// The text flush right in `columns`.
pub fn right(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{}{text}", " ".repeat(blanks))
}

/// The text in lines of at most `columns`, broken at blanks where it can be.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if width(word) <= columns {
            line.push_str(word);
            continue;
        }
        for grapheme in graphemes(word) {
            if !line.is_empty() && width(&line) + width(&grapheme) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(&grapheme);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_replaced() {
        assert_eq!(
            clean("a\x1b[2Jb\n\u{202e}", 99),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}"
        );
        assert_eq!(clean(r#"dev\x2d "é""#, 99), r#"dev\x2d "é""#);
        assert_eq!(clean(&"x".repeat(100_000), 5), "xxxxx");
    }

    #[test]
    fn the_middle_of_a_long_name_goes() {
        assert_eq!(shorten("checkout", 8), "checkout");
        assert_eq!(shorten("checkout-prod", 8), "chec…rod");
        assert_eq!(shorten("checkout", 1), "…");
        assert_eq!(shorten("checkout", 0), "");
        assert_eq!(shorten("", 0), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("注文"), 4);
        for columns in 0..12 {
            assert!(width(&shorten("注文処理サービス", columns)) <= columns);
        }
        assert_eq!(right("注文", 6), "  注文");
        assert_eq!(left("注文", 6), "注文  ");
    }

    #[test]
    fn lines_break_at_blanks_or_anywhere() {
        assert_eq!(wrap("to be or not", 6), ["to be", "or not"]);
        assert_eq!(wrap("a abcdefgh i", 4), ["a", "abcd", "efgh", "i"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("ab", 0), ["a", "b"]);
        assert_eq!(wrap("注文", 1), ["注", "文"]);
    }
}
