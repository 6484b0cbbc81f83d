// SPDX-License-Identifier: GPL-2.0-only
//! A file that a recording is read from, line by line.
//!
//! Nothing is kept but the line at hand, and a line is at most
//! [`MAX_LINE_BYTES`] long, so no file, whatever its size and content, takes
//! more memory than that. Compressed files (gzip) are recognised by their
//! first bytes.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::TraceError;

/// The longest line read. The widest published one has 5093 functions.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// What [`Source::head`] shows of a file.
const HEAD_BYTES: usize = 256;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file, as lines of text.
pub struct Source {
    name: String,
    reader: Box<dyn BufRead>,
    head: Vec<u8>,
    /// The line at hand, without its end.
    line: Vec<u8>,
    /// Its number, counted from 1.
    number: u64,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("line", &self.number)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// A file to be read from `reader` and called `name` in errors.
    ///
    /// # Errors
    /// When its first bytes cannot be read, or there are none.
    pub fn new(name: impl Into<String>, reader: impl Read + 'static) -> Result<Self, TraceError> {
        let mut source = Self {
            name: name.into(),
            reader: Box::new(io::empty()),
            head: Vec::new(),
            line: Vec::new(),
            number: 0,
        };
        let mut reader: Box<dyn BufRead> = Box::new(BufReader::new(reader));
        let magic = source.take(&mut reader, GZIP_MAGIC.len())?;
        let gzip = magic == GZIP_MAGIC;
        reader = Box::new(Cursor::new(magic).chain(reader));
        if gzip {
            reader = Box::new(BufReader::new(MultiGzDecoder::new(reader)));
        }
        let mut head = source.take(&mut reader, HEAD_BYTES)?;
        if head.is_empty() {
            return Err(source.error("the file is empty", "pass one with a trace in it"));
        }
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        source.head.clone_from(&head);
        source.reader = Box::new(Cursor::new(head).chain(reader));
        Ok(source)
    }

    /// The beginning of the file, or less if its first line is short; to be
    /// asked before the first line is read.
    pub fn head(&self) -> &[u8] {
        let end = self.head.iter().position(|&byte| byte == b'\n');
        &self.head[..end.unwrap_or(self.head.len())]
    }

    /// What the file is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Moves on to the next line that is not blank; false at the end.
    ///
    /// # Errors
    /// When the file cannot be read, is no text, or was cut off: every line
    /// must have its end, for half a number is a number too.
    pub(super) fn advance(&mut self) -> Result<bool, TraceError> {
        loop {
            self.line.clear();
            let limit = MAX_LINE_BYTES as u64 + 1;
            self.number += 1;
            let mut reader = (&mut self.reader).take(limit);
            if let Err(error) = reader.read_until(b'\n', &mut self.line) {
                return Err(self.unreadable(&error));
            }
            if self.line.is_empty() {
                return Ok(false);
            }
            let ended = self.line.last() == Some(&b'\n');
            if !ended && self.line.len() > MAX_LINE_BYTES {
                return Err(self.error(
                    format!("the line is longer than {MAX_LINE_BYTES} bytes"),
                    "this is no trace",
                ));
            }
            while let Some(b'\n' | b'\r') = self.line.last() {
                self.line.pop();
            }
            if self.line.contains(&0) || str::from_utf8(&self.line).is_err() {
                return Err(self.error(
                    "the line is no text",
                    "traces are text files, possibly compressed with gzip",
                ));
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            if !ended {
                return Err(self.error(
                    "the file ends in the middle of this line",
                    "it was cut off, or lacks its last line end: add one",
                ));
            }
            return Ok(true);
        }
    }

    /// The line at hand.
    pub(super) fn line(&self) -> &str {
        // Checked when it was read.
        str::from_utf8(&self.line).unwrap_or_default()
    }

    /// An error about the line at hand, or about the whole file before the
    /// first.
    pub(super) fn error(&self, what: impl Into<String>, advice: impl Into<String>) -> TraceError {
        TraceError {
            file: self.name.clone(),
            line: (self.number > 0).then_some(self.number),
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// An error about the whole file.
    pub(super) fn error_of_file(
        &self,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> TraceError {
        TraceError {
            line: None,
            ..self.error(what, advice)
        }
    }

    fn take(&self, reader: &mut dyn BufRead, bytes: usize) -> Result<Vec<u8>, TraceError> {
        let mut taken = Vec::new();
        match reader.take(bytes as u64).read_to_end(&mut taken) {
            Ok(_) => Ok(taken),
            // What could be read is looked at first; the error comes again.
            Err(_) if !taken.is_empty() => Ok(taken),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &io::Error) -> TraceError {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.error(
                "the compressed data ends in the middle",
                "the file was cut off: get it again",
            ),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => self.error(
                "the compressed data is damaged",
                "get the file again, or decompress it with gzip to see",
            ),
            _ => self.error(
                format!("cannot be read: {error}"),
                "check the path and what it is",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<String>, TraceError> {
        let mut source = Source::new("f", Cursor::new(bytes.to_vec()))?;
        let mut lines = Vec::new();
        while source.advance()? {
            lines.push(format!("{} {}", source.number, source.line()));
        }
        Ok(lines)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn line_ends_blank_lines_and_marks_do_not_matter() {
        let expected = ["1 a", "3 b"];
        assert_eq!(lines(b"a\r\n\r\nb\r\n").unwrap(), expected);
        assert_eq!(lines(b"\xef\xbb\xbfa\n \nb\n ").unwrap(), expected);
        assert_eq!(lines(&gzip(b"a\n\nb\n")).unwrap(), expected);
    }

    #[test]
    fn concatenated_gzip_is_one_file() {
        let both = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(lines(&both).unwrap(), ["1 a", "2 b"]);
    }

    #[test]
    fn what_is_no_text_is_an_error_with_its_line() {
        let error = |bytes: &[u8]| lines(bytes).unwrap_err().to_string();
        assert!(error(b"").starts_with("f: the file is empty"));
        assert!(error(&gzip(b"")).starts_with("f: the file is empty"));
        assert!(error(b"a\nb\0\n").starts_with("f:2: the line is no text"));
        assert!(error(b"a\n\xff\n").starts_with("f:2: the line is no text"));
        assert!(error(b"a\nb").starts_with("f:2: the file ends in the middle"));
        assert!(error(&vec![b'x'; MAX_LINE_BYTES + 9]).starts_with("f:1: the line is longer"));
    }

    #[test]
    fn cut_and_damaged_gzip_is_an_error() {
        let text: String = (0..20_000).map(|n| format!("{}\n", n * n % 7919)).collect();
        let whole = gzip(text.as_bytes());
        assert_eq!(lines(&whole).unwrap().len(), 20_000);
        let error = lines(&whole[..whole.len() / 2]).unwrap_err();
        assert!(error.what.contains("ends in the middle"), "{error}");
        assert!(error.line.is_some_and(|line| line > 1));
        let mut damaged = whole.clone();
        damaged.truncate(whole.len() - 8);
        damaged.extend([0; 8]);
        assert!(lines(&damaged).unwrap_err().what.contains("damaged"));
    }
}
