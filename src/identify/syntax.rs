// SPDX-License-Identifier: GPL-2.0-only
//! The marks patterns and names are written with: `*`, `{capture}` and `\`.

use std::fmt;

/// What is wrong in a pattern or a name, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The offending character, counted from 1.
    pub at: usize,
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl SyntaxError {
    pub(super) fn new(at: usize, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}; {}", self.at, self.what, self.advice)
    }
}

impl std::error::Error for SyntaxError {}

/// One mark, or one character that stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    Literal(char),
    Star,
    Capture(&'a str),
}

/// Splits `text` into marks, each with its place. The first character's
/// place is `first`.
///
/// # Errors
/// An unknown escape, an unbalanced brace, or a capture without a proper name.
pub(super) fn marks(text: &str, first: usize) -> Result<Vec<(usize, Mark<'_>)>, SyntaxError> {
    let mut marks = Vec::new();
    let mut characters = text.char_indices().zip(first..);
    while let Some(((offset, c), at)) = characters.next() {
        let mark = match c {
            '*' => Mark::Star,
            '\\' => match characters.next() {
                Some(((_, escaped @ ('*' | '{' | '}' | '\\' | '.')), _)) => Mark::Literal(escaped),
                _ => {
                    return Err(SyntaxError::new(
                        at,
                        "`\\` escapes one of `*`, `{`, `}`, `.` and `\\`",
                        "write `\\\\` for a backslash, within TOML's single quotes",
                    ));
                }
            },
            '{' => {
                let name = capture(&text[offset + 1..], at)?;
                // A name is ASCII: as many characters as bytes, and then `}`.
                characters.nth(name.len());
                Mark::Capture(name)
            }
            '}' => {
                return Err(SyntaxError::new(
                    at,
                    "`}` without a `{` before it",
                    "write `\\}` for a brace",
                ));
            }
            other => Mark::Literal(other),
        };
        marks.push((at, mark));
    }
    Ok(marks)
}

/// The name at the start of `text`, which is what follows a `{`.
fn capture(text: &str, at: usize) -> Result<&str, SyntaxError> {
    let Some((name, _)) = text.split_once('}') else {
        return Err(SyntaxError::new(
            at,
            "no `}` closes this capture",
            "close it before the next `/`, or write `\\{` for a brace",
        ));
    };
    let proper = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if proper {
        Ok(name)
    } else {
        Err(SyntaxError::new(
            at,
            format!("{name:?} cannot name a capture"),
            "use a letter or `_`, then letters, digits and `_`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_have_their_places() {
        let expected = vec![
            (1, Mark::Literal('é')),
            (2, Mark::Capture("ab")),
            (6, Mark::Star),
            (7, Mark::Literal('*')),
            (9, Mark::Literal('z')),
        ];
        assert_eq!(marks("é{ab}*\\*z", 1), Ok(expected));
    }

    #[test]
    fn errors_name_the_offending_place() {
        for (text, at) in [
            ("ab{c", 3),
            ("a}", 2),
            ("é{}", 2),
            ("{1a}", 1),
            ("{a b}", 1),
            ("a\\x2d", 2),
            ("a\\", 2),
        ] {
            assert_eq!(marks(text, 1).unwrap_err().at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_marks_or_an_error(text in "[a{}*\\\\./é]{0,20}|\\p{any}{0,40}") {
            let _ = marks(&text, 1);
        }
    }
}
