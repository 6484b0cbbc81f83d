// SPDX-License-Identifier: GPL-2.0-only
//! Text that is safe to show on a terminal and in a log.
//!
//! Names come from cgroups, processes and files. One with control characters
//! could move a terminal's cursor; one with invisible or direction-changing
//! characters could pass for another.

/// Whether a character shows as itself.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, '\\' | '\'' | '"') || c.escape_debug().len() == 1
}

/// `text` with every character that does not show as itself written as an
/// escape, `\n` or `\u{1b}`.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_printable(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_debug());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        let text = r#"system.slice/dev-disk\x2dby"é's"#;
        assert_eq!(printable(text), text);
    }

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        assert_eq!(printable("a\x1b[2Jb\n"), r"a\u{1b}[2Jb\n");
        assert_eq!(printable("a\u{202e}b\u{200b}"), r"a\u{202e}b\u{200b}");
    }
}
