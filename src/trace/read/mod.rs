// SPDX-License-Identifier: GPL-2.0-only
//! Readers of recordings, in the formats they are published in.
//!
//! All read by streaming: what is kept is the requests (or counts) of the
//! window asked for, the names of its functions, and tables of service times.
//! `docs/traces.md` has each format's schema.

pub mod alps;
pub mod azure2019;
pub mod azure2021;
#[cfg(test)]
mod fuzz;
pub mod huawei2023;
pub mod plain;
mod service_times;

pub use service_times::ServiceTimes;

use super::Trace;
use super::error::TraceError;
use super::minutes::{MinuteCounts, SECONDS_PER_MINUTE};
use super::source::Source;
use super::window::Window;

/// How a recording is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `id n job iat_ms port`, with a table of service times.
    Alps,
    /// `arrival_us,function,cpu_us`.
    Plain,
    /// Requests by function and minute, and percentiles of durations.
    Azure2019,
    /// `app,func,end_timestamp,duration`.
    Azure2021,
    /// Wide tables by minute and function, one for each metric.
    Huawei2023,
}

impl Format {
    /// Whether the recording is of a whole platform, of which one machine
    /// sees some functions.
    pub fn is_of_platform(self) -> bool {
        match self {
            Self::Alps | Self::Plain => false,
            Self::Azure2019 | Self::Azure2021 | Self::Huawei2023 => true,
        }
    }

    /// What the times between arrivals, and CPU times, are multiplied by
    /// unless somebody says otherwise.
    ///
    /// A minute of a platform becomes a second. Azure's requests take up to
    /// minutes and become shorter too, Huawei's take milliseconds.
    pub fn usual_scales(self) -> [f64; 2] {
        match self {
            Self::Alps | Self::Plain => [1.0, 1.0],
            Self::Azure2019 | Self::Azure2021 => [1.0 / SECONDS_PER_MINUTE; 2],
            Self::Huawei2023 => [1.0 / SECONDS_PER_MINUTE, 1.0],
        }
    }

    /// The format of `source`, by its first line.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn of(source: &Source) -> Result<Self, TraceError> {
        let head = String::from_utf8_lossy(source.head());
        let columns: Vec<&str> = head.split(',').map(str::trim).collect();
        let has = |name: &str| columns.contains(&name);
        if has("HashOwner") && has("HashFunction") {
            Ok(Self::Azure2019)
        } else if has("app") && has("end_timestamp") {
            Ok(Self::Azure2021)
        } else if has("day") && has("time") {
            Ok(Self::Huawei2023)
        } else if has("arrival_us") || has("cpu_us") {
            Ok(Self::Plain)
        } else if alps::is_request(&head) {
            Ok(Self::Alps)
        } else if has("job") && has("cpu_ms") {
            Err(source.error(
                "this is a table of service times, not a trace",
                "pass it with --service-times",
            ))
        } else {
            Err(source.error(
                "the first line is of no format known",
                "docs/traces.md shows them; name one with --format to see what is wrong",
            ))
        }
    }
}

/// What a recording holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Recording {
    /// Requests one by one.
    Requests(Trace),
    /// How many there were in each minute.
    Minutes(MinuteCounts),
}

/// Reads the files of one recording.
///
/// # Errors
/// When they are not what `format` says, or not all that it needs.
pub fn read(
    format: Format,
    mut sources: Vec<Source>,
    times: Option<&ServiceTimes>,
    window: Window,
) -> Result<Recording, TraceError> {
    match format {
        Format::Huawei2023 => {
            huawei2023::read(huawei_files(sources)?, window).map(Recording::Minutes)
        }
        Format::Azure2019 => {
            let [counts, durations] = azure_files(sources)?;
            azure2019::read(counts, durations, window).map(Recording::Minutes)
        }
        Format::Alps | Format::Plain | Format::Azure2021 => {
            let (Some(source), None) = (sources.pop(), sources.pop()) else {
                return Err(not_of_this_number(format, "one file"));
            };
            match (format, times) {
                (Format::Alps, Some(times)) => alps::read(source, times, window),
                (Format::Alps, None) => Err(source.error_of_file(
                    "a trace of this format does not say how long its requests take",
                    "pass a table job,n,cpu_ms with --service-times",
                )),
                (Format::Azure2021, _) => azure2021::read(source, window),
                _ => plain::read(source, window),
            }
            .map(Recording::Requests)
        }
    }
}

fn not_of_this_number(format: Format, needed: &str) -> TraceError {
    TraceError {
        file: format!("{format:?}"),
        line: None,
        what: format!("a trace of this format is {needed}"),
        advice: "pass exactly that with --trace".into(),
    }
}

/// The files of a day, told apart by their headers.
fn azure_files(sources: Vec<Source>) -> Result<[Source; 2], TraceError> {
    let (durations, counts): (Vec<Source>, Vec<Source>) = sources
        .into_iter()
        .partition(|source| String::from_utf8_lossy(source.head()).contains("Average"));
    let one = |sources: Vec<Source>| <[Source; 1]>::try_from(sources).ok();
    match (one(counts), one(durations)) {
        (Some([counts]), Some([durations])) => Ok([counts, durations]),
        _ => Err(not_of_this_number(
            Format::Azure2019,
            "a day's file of invocations and its file of durations",
        )),
    }
}

/// The files of a day, told apart by their paths, and where these say
/// nothing by their order: requests, delay, usage.
fn huawei_files(sources: Vec<Source>) -> Result<huawei2023::Files, TraceError> {
    use huawei2023::Metric;
    let mut files = huawei2023::Files::default();
    let mut unnamed = [Metric::Requests, Metric::Delay, Metric::Usage].into_iter();
    for source in sources {
        let metric = Metric::of_path(source.name()).or_else(|| unnamed.next());
        let Some(metric) = metric else {
            return Err(source.error_of_file(
                "which metric this is cannot be told from its path",
                "keep the published folders' names, such as requests_minute",
            ));
        };
        let place = files.place(metric);
        if place.is_some() {
            return Err(source.error_of_file(
                format!("there are two files of {}", metric.folder()),
                "pass one, and the others with their folders' names",
            ));
        }
        *place = Some(source);
    }
    Ok(files)
}

/// How many characters of each published hash are shown.
const HASH_SHOWN: usize = 8;

/// A short name of hashes, joined.
fn short_name(hashes: &[&str]) -> String {
    let short = hashes
        .iter()
        .map(|hash| hash.chars().take(HASH_SHOWN).collect::<String>());
    short.collect::<Vec<String>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn source(name: &str, text: &'static str) -> Source {
        Source::new(name, Cursor::new(text)).unwrap()
    }

    #[test]
    fn formats_are_known_by_their_first_line() {
        for (line, format) in [
            ("1 9 graphPagerank 20 5010\n", Format::Alps),
            ("arrival_us,function,cpu_us\n", Format::Plain),
            (
                "HashOwner,HashApp,HashFunction,Trigger,1,2\n",
                Format::Azure2019,
            ),
            (
                "HashOwner,HashApp,HashFunction,Average,Count\n",
                Format::Azure2019,
            ),
            ("app,func,end_timestamp,duration\n", Format::Azure2021),
            ("day,time,0,1\n", Format::Huawei2023),
        ] {
            assert_eq!(Format::of(&source("f", line)), Ok(format));
        }
        for (line, what) in [
            (
                "job,n,cpu_ms\n",
                "this is a table of service times, not a trace",
            ),
            ("hello\n", "the first line is of no format known"),
            ("\0\0", "the first line is of no format known"),
        ] {
            assert_eq!(Format::of(&source("f", line)).unwrap_err().what, what);
        }
    }

    #[test]
    fn a_format_needs_its_files() {
        let read = |format, sources| read(format, sources, None, Window::default());
        let alps = || source("f", "1 9 graphPagerank 20 5010\n");
        let error = read(Format::Alps, vec![alps()]).unwrap_err();
        assert!(error.advice.contains("--service-times"));
        assert!(read(Format::Plain, vec![]).is_err());
        assert!(read(Format::Azure2021, vec![alps(), alps()]).is_err());
        assert!(read(Format::Azure2019, vec![alps()]).is_err());
        let wide = |name| source(name, "day,time,0\n0,0,1\n");
        for names in [
            vec!["a/requests_minute/d.csv", "a/function_delay_minute/d.csv"],
            vec!["a.csv", "b.csv", "c.csv"],
            vec!["function_delay_minute.csv", "x.csv"],
        ] {
            let sources = names.into_iter().map(wide).collect();
            let Ok(Recording::Minutes(counts)) = read(Format::Huawei2023, sources) else {
                panic!("not read");
            };
            assert_eq!(counts.functions.len(), 1);
        }
        let twice = vec![wide("requests_minute/1"), wide("requests_minute/2")];
        assert!(read(Format::Huawei2023, twice).is_err());
    }
}
