// SPDX-License-Identifier: GPL-2.0-only
//! How a rule makes a function's name from what its pattern captured.

use super::name::{FunctionName, MAX_NAME_BYTES};
use super::printable::is_printable;
use super::syntax::{Mark, SyntaxError, marks};

/// A name with captures in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The capture with this index.
    Capture(usize),
    /// The whole text that matched.
    Subject,
}

impl Template {
    /// The name of a rule that gives none: all captures joined by `/`, or
    /// what the pattern matched where it captures nothing.
    pub fn of_captures(count: usize) -> Self {
        let mut parts = Vec::new();
        for index in 0..count {
            if index > 0 {
                parts.push(Part::Literal("/".to_owned()));
            }
            parts.push(Part::Capture(index));
        }
        if parts.is_empty() {
            parts.push(Part::Subject);
        }
        Self { parts }
    }

    /// A name as written in a rule whose pattern has `captures`.
    ///
    /// # Errors
    /// An empty or overlong name, characters that do not print, `*`, or a
    /// capture the pattern does not have.
    pub fn parse(text: &str, captures: &[String]) -> Result<Self, SyntaxError> {
        if text.trim().is_empty() {
            return Err(SyntaxError::new(
                1,
                "the name is empty",
                "write a name, or leave the key out",
            ));
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut literal_bytes = 0;
        for (at, mark) in marks(text, 1)? {
            match mark {
                Mark::Literal(c) if is_printable(c) => {
                    literal.push(c);
                    literal_bytes += c.len_utf8();
                }
                Mark::Literal(c) => {
                    return Err(SyntaxError::new(
                        at,
                        format!("{c:?} cannot be printed"),
                        "use printable characters",
                    ));
                }
                Mark::Star => {
                    return Err(SyntaxError::new(
                        at,
                        "`*` matches nothing in a name",
                        "capture the text in the pattern, or write `\\*`",
                    ));
                }
                Mark::Capture(name) => {
                    let index = index_of(name, captures, at)?;
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Capture(index));
                }
            }
        }
        if literal_bytes > MAX_NAME_BYTES {
            return Err(SyntaxError::new(
                1,
                format!("the name has {literal_bytes} bytes, more than {MAX_NAME_BYTES}"),
                "shorten it",
            ));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// The name, where a pattern of this rule matched `subject`.
    pub fn name(&self, subject: &[u8], captures: &[&[u8]]) -> FunctionName {
        let mut text = Vec::new();
        for part in &self.parts {
            text.extend_from_slice(match part {
                Part::Literal(literal) => literal.as_bytes(),
                Part::Capture(index) => captures.get(*index).copied().unwrap_or_default(),
                Part::Subject => subject,
            });
        }
        FunctionName::new(&String::from_utf8_lossy(&text))
    }
}

fn index_of(name: &str, captures: &[String], at: usize) -> Result<usize, SyntaxError> {
    captures
        .iter()
        .position(|known| known == name)
        .ok_or_else(|| {
            let known = if captures.is_empty() {
                "the pattern captures nothing".to_owned()
            } else {
                format!("the pattern captures {}", captures.join(", "))
            };
            SyntaxError::new(
                at,
                format!("there is no capture `{{{name}}}`; {known}"),
                "use one of its captures, or write `\\{` for a brace",
            )
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(template: &str, captures: &[(&str, &str)]) -> String {
        let names: Vec<_> = captures
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let texts: Vec<_> = captures.iter().map(|(_, text)| text.as_bytes()).collect();
        let template = Template::parse(template, &names).unwrap();
        template.name(b"subject", &texts).to_string()
    }

    #[test]
    fn captures_take_their_places() {
        let captures = [("ns", "prod"), ("fn", "resize")];
        assert_eq!(name("{fn}.{ns}", &captures), "resize.prod");
        assert_eq!(name("{fn}{ns}!", &captures), "resizeprod!");
        assert_eq!(name(r"\{fn\}", &captures), "{fn}");
    }

    #[test]
    fn without_a_name_the_captures_are_joined() {
        let of = |count| Template::of_captures(count).name(b"subject", &[b"a", b"b"]);
        assert_eq!(of(2).as_str(), "a/b");
        assert_eq!(of(1).as_str(), "a");
        assert_eq!(of(0).as_str(), "subject");
    }

    #[test]
    fn errors_name_the_offending_place() {
        let captures = ["ns".to_owned()];
        for (text, at) in [
            ("", 1),
            (" ", 1),
            ("a{x}", 2),
            ("a*", 2),
            ("ab\x07", 3),
            ("{", 1),
        ] {
            assert_eq!(
                Template::parse(text, &captures).unwrap_err().at,
                at,
                "{text}"
            );
        }
        let long = "a".repeat(MAX_NAME_BYTES + 1);
        assert!(Template::parse(&long, &captures).is_err());
        assert!(Template::parse(&long[1..], &captures).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(text in "[a{}*\\\\./é]{0,20}|\\p{any}{0,40}") {
            if let Ok(template) = Template::parse(&text, &["a".to_owned()]) {
                template.name(b"", &[b"\xff\n"]);
            }
        }
    }
}
