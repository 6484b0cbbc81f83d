// SPDX-License-Identifier: GPL-2.0-only
//! Why a file is no trace.

use std::fmt;

use crate::identify::printable::printable;

/// Longest text of others that an error repeats, in characters.
const MAX_QUOTED: usize = 60;

/// A mistake in a recording. Shows as one line:
/// `azure.txt:12: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The file, as given to [`Source::new`](super::Source::new).
    pub file: String,
    /// The line, counted from 1; `None` where it is about the whole file.
    pub line: Option<u64>,
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", printable(&self.file))?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}; {}", printable(&self.what), printable(&self.advice))
    }
}

impl std::error::Error for TraceError {}

/// What is wrong with a line, and what to do about it: an error that does not
/// know yet where it is.
pub(super) type Complaint = (String, &'static str);

/// Text from a file, in quotes, short and safe to show.
pub(super) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("'{}'", printable(&short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_one_safe_line() {
        let error = TraceError {
            file: "a\nb".into(),
            line: Some(3),
            what: format!("no number: {}", quoted("\x1b[2J")),
            advice: "write one".into(),
        };
        assert_eq!(
            error.to_string(),
            r"a\nb:3: no number: '\u{1b}[2J'; write one"
        );
        assert!(quoted(&"x".repeat(1000)).chars().count() < 70);
    }
}
