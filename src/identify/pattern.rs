// SPDX-License-Identifier: GPL-2.0-only
//! Patterns that cgroup paths and processes are matched with.
//!
//! A pattern becomes a regular expression of the `regex` crate, which matches
//! in time linear in the text: no pattern and no text makes it slow.

use regex::bytes::{Regex, RegexBuilder};

use super::syntax::{Mark, SyntaxError, marks};

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1024;

/// What a compiled pattern may take in memory, in bytes. The longest patterns
/// stay well below.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// A pattern, always matched against the whole text.
///
/// `*` matches any text, also none, and takes as little as it can. `{name}`
/// captures at least one character and takes as much as it can, the first
/// capture first. `\` before `*`, `{`, `}`, `.` or `\` makes it stand for itself.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    captures: Vec<String>,
    min_bytes: usize,
}

impl Pattern {
    /// A pattern for the path of a cgroup: `/` and segments. `*` and captures
    /// stay within a segment; a segment `...` stands for any number of whole
    /// segments, also none, and takes as few as it can.
    ///
    /// # Errors
    /// A path that does not begin with `/`, ends with one, or has an empty
    /// segment; and those of [`Pattern::text`].
    pub fn path(pattern: &str) -> Result<Self, SyntaxError> {
        let Some(segments) = pattern.strip_prefix('/') else {
            return Err(SyntaxError::new(
                1,
                "a cgroup's path begins with `/`",
                "write the path as below /sys/fs/cgroup",
            ));
        };
        let mut builder = Builder::new(pattern, "[^/]*?", "([^/]+)")?;
        let mut at = 2;
        for segment in segments.split('/') {
            match segment {
                "" if pattern == "/" => {
                    return Err(SyntaxError::new(
                        1,
                        "the root cgroup is no function",
                        "its processes can be matched by `comm`, `cmdline` or `environ`",
                    ));
                }
                "" => {
                    return Err(SyntaxError::new(
                        at,
                        "a segment is empty",
                        "remove the extra `/`",
                    ));
                }
                "..." => builder.regex.push_str("(?:/[^/]+)*?"),
                _ => {
                    builder.literal('/');
                    builder.marks(segment, at)?;
                }
            }
            at += segment.chars().count() + 1;
        }
        builder.finish()
    }

    /// A pattern for a command line. Captures stay within an argument, that
    /// is, they match no space; `*` matches anything.
    ///
    /// # Errors
    /// Those of [`Pattern::text`].
    pub fn command_line(pattern: &str) -> Result<Self, SyntaxError> {
        let mut builder = Builder::new(pattern, ".*?", "([^ ]+)")?;
        builder.marks(pattern, 1)?;
        builder.finish()
    }

    /// A pattern for any other text. `*` and captures match anything.
    ///
    /// # Errors
    /// An empty pattern or one longer than [`MAX_PATTERN_BYTES`]; `**`; an
    /// unknown escape or an unbalanced brace; a capture without a proper name,
    /// with the name of another, or with no fixed text between it and another.
    pub fn text(pattern: &str) -> Result<Self, SyntaxError> {
        Self::text_at(pattern, 1)
    }

    /// As [`Pattern::text`], for a pattern that is the rest of a longer text:
    /// `first` is the place of its first character there.
    pub(super) fn text_at(pattern: &str, first: usize) -> Result<Self, SyntaxError> {
        let mut builder = Builder::new(pattern, ".*?", "(.+)")?;
        builder.marks(pattern, first)?;
        builder.finish()
    }

    /// The names of the captures, in order.
    pub fn captures(&self) -> &[String] {
        &self.captures
    }

    /// The fewest bytes a text has that the pattern matches.
    pub fn min_bytes(&self) -> usize {
        self.min_bytes
    }

    /// What each capture holds, in order; `None` where the pattern does not match.
    pub fn matches<'t>(&self, text: &'t [u8]) -> Option<Vec<&'t [u8]>> {
        let found = self.regex.captures(text)?;
        // The first group is the whole match.
        Some(
            found
                .iter()
                .skip(1)
                .flatten()
                .map(|group| group.as_bytes())
                .collect(),
        )
    }
}

/// A pattern while it is being translated.
struct Builder {
    regex: String,
    star: &'static str,
    capture: &'static str,
    captures: Vec<String>,
    min_bytes: usize,
    /// Whether there was a capture and no fixed text since.
    open: bool,
    starred: bool,
}

impl Builder {
    fn new(pattern: &str, star: &'static str, capture: &'static str) -> Result<Self, SyntaxError> {
        if pattern.is_empty() {
            return Err(SyntaxError::new(
                1,
                "the pattern is empty",
                "write `*` to match anything",
            ));
        }
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(SyntaxError::new(
                1,
                format!(
                    "the pattern has {} bytes, more than {MAX_PATTERN_BYTES}",
                    pattern.len()
                ),
                "shorten it with `*`",
            ));
        }
        Ok(Self {
            // Bytes, not characters: what is matched need not be UTF-8.
            regex: String::from(r"(?s-u)\A"),
            star,
            capture,
            captures: Vec::new(),
            min_bytes: 0,
            open: false,
            starred: false,
        })
    }

    fn literal(&mut self, c: char) {
        self.regex
            .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        self.min_bytes += c.len_utf8();
        self.open = false;
        self.starred = false;
    }

    fn marks(&mut self, text: &str, first: usize) -> Result<(), SyntaxError> {
        for (at, mark) in marks(text, first)? {
            match mark {
                Mark::Literal(c) => self.literal(c),
                Mark::Star if self.starred => {
                    return Err(SyntaxError::new(
                        at,
                        "`**` has no meaning of its own",
                        "write `*`, or in a path `...` for any number of segments",
                    ));
                }
                Mark::Star => {
                    self.regex.push_str(self.star);
                    self.starred = true;
                }
                Mark::Capture(name) => self.named(name, at)?,
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, at: usize) -> Result<(), SyntaxError> {
        if self.open {
            return Err(SyntaxError::new(
                at,
                "no fixed text between this capture and the one before",
                "put some between them, or drop one",
            ));
        }
        if self.captures.iter().any(|known| known == name) {
            return Err(SyntaxError::new(
                at,
                format!("there are two captures `{{{name}}}`"),
                "give each a name of its own",
            ));
        }
        self.captures.push(name.to_owned());
        self.regex.push_str(self.capture);
        self.min_bytes += 1;
        self.open = true;
        self.starred = false;
        Ok(())
    }

    fn finish(mut self) -> Result<Pattern, SyntaxError> {
        self.regex.push_str(r"\z");
        let regex = RegexBuilder::new(&self.regex)
            .size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|_| {
                SyntaxError::new(
                    1,
                    "the pattern is too complex",
                    "use fewer `*` and captures",
                )
            })?;
        Ok(Pattern {
            regex,
            captures: self.captures,
            min_bytes: self.min_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(pattern: &str, text: &str) -> Option<Vec<String>> {
        found(&Pattern::path(pattern).unwrap(), text)
    }

    fn command_line(pattern: &str, text: &str) -> Option<Vec<String>> {
        found(&Pattern::command_line(pattern).unwrap(), text)
    }

    fn found(pattern: &Pattern, text: &str) -> Option<Vec<String>> {
        let captures = pattern.matches(text.as_bytes())?;
        Some(
            captures
                .into_iter()
                .map(|capture| String::from_utf8(capture.to_vec()).unwrap())
                .collect(),
        )
    }

    fn captured(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn literals_match_the_whole_path_only() {
        assert_eq!(path("/a/b", "/a/b"), captured(&[]));
        for other in ["/a", "/a/b/c", "/x/a/b", "/a/bb", "/a.b", "/a/b\n"] {
            assert_eq!(path("/a/b", other), None, "{other:?}");
        }
        assert_eq!(path("/a.b+c", "/axbbc"), None);
    }

    #[test]
    fn star_stays_within_a_segment() {
        assert_eq!(path("/a/b*d", "/a/bd"), captured(&[]));
        assert_eq!(path("/a/b*d", "/a/bccd"), captured(&[]));
        assert_eq!(path("/a/b*d", "/a/b/d"), None);
        assert_eq!(path("/*", "/a/b"), None);
    }

    #[test]
    fn dots_stand_for_any_number_of_segments() {
        for text in ["/k/pod-x", "/k/a/pod-x", "/k/a/b/c/pod-x"] {
            assert_eq!(path("/k/.../pod-{name}", text), captured(&["x"]), "{text}");
        }
        assert_eq!(path("/k/.../pod-{name}", "/kk/pod-x"), None);
        assert_eq!(path("/k/...", "/k"), captured(&[]));
        assert_eq!(path("/k/...", "/k/a/b"), captured(&[]));
        assert_eq!(path("/...", "/a"), captured(&[]));
        assert_eq!(path("/.../{first}/...", "/a/b"), captured(&["a"]));
        assert_eq!(path(r"/\...", "/a"), None);
        assert_eq!(path(r"/\...", "/..."), captured(&[]));
    }

    #[test]
    fn captures_are_not_empty_and_the_first_takes_most() {
        assert_eq!(path("/pod-{name}", "/pod-"), None);
        assert_eq!(path("/{name}/x", "/a/b/x"), None);
        assert_eq!(
            path("/{name}-{replica}", "/resize-image-7f"),
            captured(&["resize-image", "7f"])
        );
        assert_eq!(path("/*-{name}", "/a-b-c"), captured(&["b-c"]));
    }

    #[test]
    fn escapes_stand_for_themselves() {
        assert_eq!(path(r"/a\\x2db\*\{c\}", r"/a\x2db*{c}"), captured(&[]));
    }

    #[test]
    fn captures_of_a_command_line_stay_within_an_argument() {
        for text in [
            "python3 serve.py --handler=resize",
            "python3 serve.py --handler=resize --port 80",
        ] {
            assert_eq!(
                command_line("*--handler={name}*", text),
                captured(&["resize"])
            );
        }
        assert_eq!(
            command_line("*handler=*{name}", "python3 handler=resize"),
            captured(&["resize"])
        );
    }

    #[test]
    fn text_may_hold_anything() {
        let pattern = Pattern::text("é*{rest}").unwrap();
        assert_eq!(pattern.matches("é".as_bytes()), None);
        let text = [0xc3, 0xa9, 0xff, b'\n', 0];
        assert_eq!(pattern.matches(&text), Some(vec![&text[2..]]));
    }

    #[test]
    fn the_fewest_bytes_are_counted() {
        assert_eq!(Pattern::text("é*{a}").unwrap().min_bytes(), 3);
        assert_eq!(Pattern::path("/a/.../b").unwrap().min_bytes(), 4);
    }

    #[test]
    fn errors_name_the_offending_place() {
        for (pattern, at) in [
            ("", 1),
            ("a", 1),
            ("/", 1),
            ("/a/", 4),
            ("/a//b", 4),
            ("/a/b**", 6),
            ("/é/{a}{b}", 7),
            ("/{a}*{b}", 6),
            ("/{a}/{a}", 6),
            ("/a/{b/c}", 4),
            ("/a/b}", 5),
        ] {
            assert_eq!(Pattern::path(pattern).unwrap_err().at, at, "{pattern}");
        }
        assert!(Pattern::text(&"a".repeat(MAX_PATTERN_BYTES + 1)).is_err());
    }

    #[test]
    fn the_longest_patterns_compile() {
        let stars = "*a".repeat(MAX_PATTERN_BYTES / 2);
        assert!(Pattern::text(&stars).is_ok());
        let segments = "/...".repeat(MAX_PATTERN_BYTES / 4);
        assert!(Pattern::path(&segments).is_ok());
        let characters = "\u{10ffff}".repeat(MAX_PATTERN_BYTES / 4);
        assert!(Pattern::text(&characters).is_ok());
    }

    /// Says by plain recursion whether a path matches.
    fn reference(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["...", rest @ ..], path) => {
                (0..=path.len()).any(|skipped| reference(rest, &path[skipped..]))
            }
            ([segment, rest @ ..], [name, path @ ..]) => {
                reference_segment(segment.as_bytes(), name.as_bytes()) && reference(rest, path)
            }
            _ => false,
        }
    }

    fn reference_segment(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], text) => {
                (0..=text.len()).any(|taken| reference_segment(rest, &text[taken..]))
            }
            ([b'{', _, b'}', rest @ ..], text) => {
                (1..=text.len()).any(|taken| reference_segment(rest, &text[taken..]))
            }
            ([c, rest @ ..], [d, text @ ..]) => c == d && reference_segment(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn paths_match_as_the_reference_says(
            pattern in "(/([ab]{0,2}\\*?[ab]{1,2}|[ab]?\\{n\\}[ab]?|\\.\\.\\.)){1,4}",
            text in "(/[ab]{1,3}){1,5}",
        ) {
            // A name can be used once.
            let pattern = ["{x}", "{y}", "{z}", "{w}"]
                .iter()
                .fold(pattern, |text, name| text.replacen("{n}", name, 1));
            let compiled = Pattern::path(&pattern).unwrap();
            let matched = compiled.matches(text.as_bytes());
            let expected = reference(
                &pattern[1..].split('/').collect::<Vec<_>>(),
                &text[1..].split('/').collect::<Vec<_>>(),
            );
            prop_assert_eq!(matched.is_some(), expected, "{} {}", pattern, text);
            if let Some(captures) = matched {
                prop_assert_eq!(captures.len(), compiled.captures().len());
                prop_assert!(captures.iter().all(|c| !c.is_empty() && !c.contains(&b'/')));
                prop_assert!(text.len() >= compiled.min_bytes());
            }
        }

        #[test]
        fn any_text_is_a_pattern_or_an_error(
            pattern in "[/a.*{}\\\\é]{0,20}|\\p{any}{0,40}",
            text in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            for compiled in [
                Pattern::path(&pattern),
                Pattern::command_line(&pattern),
                Pattern::text(&pattern),
            ] {
                match compiled {
                    Ok(compiled) => drop(compiled.matches(&text)),
                    Err(error) => prop_assert!(
                        (1..=pattern.chars().count() + 1).contains(&error.at)
                    ),
                }
            }
        }
    }
}
