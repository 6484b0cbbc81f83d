// SPDX-License-Identifier: GPL-2.0-only
//! The table that gives a request of the ALPS format its CPU time:
//! `job,n,cpu_ms`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::error::{TraceError, quoted};
use super::super::number::Number;
use super::super::source::Source;
use super::super::table::Table;

const NS_PER_MS: f64 = 1e6;

/// The most pairs a table may have.
const MAX_PAIRS: usize = 1 << 18;

/// CPU times by job and argument.
#[derive(Debug)]
pub struct ServiceTimes {
    /// The file they are from.
    file: String,
    cpu_ns: HashMap<String, HashMap<u64, f64>>,
}

impl ServiceTimes {
    /// Reads the whole table.
    ///
    /// # Errors
    /// When it is no such table, or has a pair twice.
    pub fn read(source: Source) -> Result<Self, TraceError> {
        let mut table = Table::new(source)?;
        let [job, n, cpu_ms] = [
            table.column("job")?,
            table.column("n")?,
            table.column("cpu_ms")?,
        ];
        let mut cpu_ns: HashMap<String, HashMap<u64, f64>> = HashMap::new();
        let mut pairs = 0;
        while table.advance()? {
            let number = table.number(n, Number::Whole)? as u64;
            let time_ns = table.number(cpu_ms, Number::Positive)? * NS_PER_MS;
            let name = table.field(job).trim();
            pairs += 1;
            if pairs > MAX_PAIRS {
                return Err(table.error(format!("more than {MAX_PAIRS} pairs"), "remove some"));
            }
            let times = cpu_ns.entry(name.to_owned()).or_default();
            match times.entry(number) {
                Entry::Vacant(vacant) => vacant.insert(time_ns),
                Entry::Occupied(_) => {
                    return Err(table.error(
                        format!("{} with n {number} is there twice", quoted(name)),
                        "remove one",
                    ));
                }
            };
        }
        if pairs == 0 {
            let source = table.source();
            return Err(source.error_of_file("the table is empty", "give it a line job,n,cpu_ms"));
        }
        Ok(Self {
            file: table.source().name().to_owned(),
            cpu_ns,
        })
    }

    /// The CPU time of `job` with argument `n`, in nanoseconds; if there is none,
    /// what is missing.
    pub fn cpu_ns(&self, job: &str, n: u64) -> Result<f64, String> {
        let missing = |what: &str| format!("{} has no {what}{}", self.file, quoted(job));
        let times = self.cpu_ns.get(job).ok_or_else(|| missing("job "))?;
        let time = times.get(&n).copied();
        time.ok_or_else(|| missing(&format!("time for n {n} of job ")))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn table(text: &'static str) -> Result<ServiceTimes, TraceError> {
        ServiceTimes::read(Source::new("times.csv", Cursor::new(text))?)
    }

    #[test]
    fn times_are_found_by_job_and_argument() {
        let times = table("job,n,cpu_ms\nfib,23,3.5\nfib,24,6\nbfs,23,1\n").unwrap();
        assert_eq!(times.cpu_ns("fib", 23), Ok(3.5e6));
        assert_eq!(times.cpu_ns("bfs", 23), Ok(1e6));
        assert_eq!(
            times.cpu_ns("mst", 23),
            Err("times.csv has no job 'mst'".into())
        );
        assert_eq!(
            times.cpu_ns("fib", 2),
            Err("times.csv has no time for n 2 of job 'fib'".into())
        );
    }

    #[test]
    fn mistakes_have_their_line() {
        for (text, line, what) in [
            ("job,n,cpu_ms\n", None, "the table is empty"),
            (
                "job,n\nfib,1\n",
                Some(1),
                "the header has no column 'cpu_ms'",
            ),
            ("job,n,cpu_ms\nfib,x,1\n", Some(2), "n 'x' is no number"),
            ("job,n,cpu_ms\nfib,1,0\n", Some(2), "cpu_ms is 0"),
            (
                "job,n,cpu_ms\nfib,1,-1\n",
                Some(2),
                "cpu_ms '-1' is negative",
            ),
            (
                "job,n,cpu_ms\nfib,1,1\nfib,1,2\n",
                Some(3),
                "'fib' with n 1 is there twice",
            ),
        ] {
            let error = table(text).unwrap_err();
            assert_eq!((error.line, error.what.as_str()), (line, what));
        }
    }
}
