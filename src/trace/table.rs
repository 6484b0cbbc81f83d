// SPDX-License-Identifier: GPL-2.0-only
//! A file of comma-separated values with a header.
//!
//! `csv-core` parses one line at a time, so that a quote left open ends with
//! its line instead of swallowing the file.

use csv_core::{ReadRecordResult, Reader};

use super::error::{TraceError, quoted};
use super::number::Number;
use super::source::Source;

/// The most columns a table may have.
const MAX_COLUMNS: usize = 1 << 16;

/// A table, read row by row.
#[derive(Debug)]
pub struct Table {
    source: Source,
    columns: Vec<String>,
    fields: Fields,
}

impl Table {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(mut source: Source) -> Result<Self, TraceError> {
        let mut fields = Fields::new();
        if !source.advance()? {
            return Err(source.error_of_file("the file has no header", "is it complete?"));
        }
        fields.split(&source)?;
        let columns = (0..fields.len()).map(|i| fields.get(i).trim().to_owned());
        Ok(Self {
            columns: columns.collect(),
            source,
            fields,
        })
    }

    /// The names of the columns, in their order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Where the column called `name` is.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn column(&self, name: &str) -> Result<usize, TraceError> {
        let found = self.columns.iter().position(|column| column == name);
        found.ok_or_else(|| {
            self.source.error(
                format!("the header has no column '{name}'"),
                "is this the right file, and complete?",
            )
        })
    }

    /// Moves on to the next row; false at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or the row does not fit the header.
    pub fn advance(&mut self) -> Result<bool, TraceError> {
        if !self.source.advance()? {
            return Ok(false);
        }
        self.fields.split(&self.source)?;
        if self.fields.len() != self.columns.len() {
            return Err(self.source.error(
                format!(
                    "{} fields where the header has {}",
                    self.fields.len(),
                    self.columns.len()
                ),
                "is the line cut off?",
            ));
        }
        Ok(true)
    }

    /// A field of the row at hand; empty where there is no such column.
    pub fn field(&self, column: usize) -> &str {
        self.fields.get(column)
    }

    /// A field that must be a number of the given kind.
    ///
    /// # Errors
    /// When it is not; the error names the column.
    pub fn number(&self, column: usize, kind: Number) -> Result<f64, TraceError> {
        kind.parse(self.field(column)).map_err(|why| {
            let name = self.columns.get(column).map_or("", String::as_str);
            self.error(format!("{name} {why}"), kind.advice())
        })
    }

    /// An error about the row at hand.
    pub fn error(&self, what: impl Into<String>, advice: impl Into<String>) -> TraceError {
        self.source.error(what, advice)
    }

    /// The file.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

/// The fields of one line.
#[derive(Debug)]
struct Fields {
    reader: Reader,
    /// Their text, one after the other.
    text: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    count: usize,
}

impl Fields {
    fn new() -> Self {
        Self {
            reader: Reader::new(),
            text: Vec::new(),
            ends: Vec::new(),
            count: 0,
        }
    }

    fn split(&mut self, source: &Source) -> Result<(), TraceError> {
        let line = source.line().as_bytes();
        // A field is never longer than what it is written as.
        self.text.resize(line.len() + 1, 0);
        let commas = line.iter().filter(|&&byte| byte == b',').count();
        if commas >= MAX_COLUMNS {
            return Err(source.error(
                format!("{} fields are too many", commas + 1),
                format!("a trace has at most {MAX_COLUMNS}"),
            ));
        }
        self.ends.resize(commas + 1, 0);
        self.reader.reset();
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, more_read, more_written, more_ended) = self.reader.read_record(
                &line[read..],
                &mut self.text[written..],
                &mut self.ends[ended..],
            );
            read += more_read;
            written += more_written;
            ended += more_ended;
            match result {
                // An empty input is the end of the text: the record is done.
                ReadRecordResult::InputEmpty if read < line.len() || more_read > 0 => {}
                ReadRecordResult::Record | ReadRecordResult::InputEmpty => break,
                ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull
                | ReadRecordResult::End => {
                    return Err(source.error(
                        format!("the line {} cannot be taken apart", quoted(source.line())),
                        "are its quotes closed?",
                    ));
                }
            }
        }
        self.count = ended;
        Ok(())
    }

    fn len(&self) -> usize {
        self.count
    }

    fn get(&self, index: usize) -> &str {
        if index >= self.count {
            return "";
        }
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        // Parts of a line that is UTF-8, split at ASCII.
        str::from_utf8(&self.text[start..self.ends[index]]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn table(text: &str) -> Result<Table, TraceError> {
        Table::new(Source::new("f", Cursor::new(text.as_bytes().to_vec()))?)
    }

    fn rows(text: &str) -> Result<Vec<Vec<String>>, TraceError> {
        let mut table = table(text)?;
        let mut rows = Vec::new();
        while table.advance()? {
            let row = (0..table.columns().len()).map(|i| table.field(i).to_owned());
            rows.push(row.collect());
        }
        Ok(rows)
    }

    #[test]
    fn quotes_and_empty_fields_are_understood() {
        assert_eq!(
            rows("a,b,c\n1,\"x,\"\"y\",\n,,\n").unwrap(),
            [["1", "x,\"y", ""], ["", "", ""]]
        );
        assert_eq!(rows("a\n\"\"\n").unwrap(), [[""]]);
    }

    #[test]
    fn rows_must_fit_the_header() {
        let error = rows("a,b\n1,2\n3\n").unwrap_err();
        assert_eq!((error.line, error.file.as_str()), (Some(3), "f"));
        assert!(rows("a,b\n1,2,3\n").is_err());
    }

    #[test]
    fn an_open_quote_ends_with_its_line() {
        assert_eq!(rows("a,b\n1,\"2\n3,4\n").unwrap(), [["1", "2"], ["3", "4"]]);
    }

    #[test]
    fn columns_are_found_by_name() {
        let table = table("a, b\n").unwrap();
        assert_eq!(table.column("b"), Ok(1));
        assert!(table.column("c").unwrap_err().what.contains("'c'"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            row in prop::collection::vec("[^\r\n\0\u{feff}]{0,20}", 1..10)
        ) {
            // A line of nothing but blanks is no row.
            prop_assume!(!row.concat().trim().is_empty());
            let header: Vec<String> = (0..row.len()).map(|i| format!("c{i}")).collect();
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&header).unwrap();
            writer.write_record(&row).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(rows(&text).unwrap(), [row]);
        }
    }
}
