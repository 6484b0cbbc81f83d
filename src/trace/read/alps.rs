// SPDX-License-Identifier: GPL-2.0-only
//! The request files of the ALPS artifact: `id n job iat_ms port`, one
//! request a line.
//!
//! The port stands for the function: the artifact's workers, and its
//! scheduling, go by it. Requests for one port may differ in their argument
//! `n`, and so in CPU time.

use super::super::builder::Builder;
use super::super::error::{Complaint, TraceError, quoted};
use super::super::names::Names;
use super::super::number::Number;
use super::super::source::Source;
use super::super::window::{MAX_REQUESTS, Window};
use super::super::{NS_PER_S, Trace};
use super::service_times::ServiceTimes;

const NS_PER_MS: f64 = 1e6;

/// A line of such a file.
struct Line<'a> {
    id: u64,
    n: u64,
    job: &'a str,
    iat_ms: f64,
    port: u64,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Result<Self, Complaint> {
        let mut fields = line.split_ascii_whitespace();
        let five = [(); 5].map(|()| fields.next());
        let ([Some(id), Some(n), Some(job), Some(iat_ms), Some(port)], None) =
            (five, fields.next())
        else {
            return Err((
                format!(
                    "{} fields where a request has 5",
                    line.split_ascii_whitespace().count()
                ),
                "a request is 'id n job iat_ms port'; is the line cut off?",
            ));
        };
        let number = |name: &str, text: &str, kind: Number| {
            let complain = |why| (format!("{name} {why}"), kind.advice());
            kind.parse(text).map_err(complain)
        };
        Ok(Self {
            id: number("id", id, Number::Whole)? as u64,
            n: number("n", n, Number::Whole)? as u64,
            job,
            iat_ms: number("iat_ms", iat_ms, Number::NotNegative)?,
            port: number("port", port, Number::Whole)? as u64,
        })
    }
}

/// Whether a line looks like a request of this format.
pub fn is_request(line: &str) -> bool {
    let mut fields = line.split_ascii_whitespace();
    let mut number = || fields.next().is_some_and(|f| f.parse::<f64>().is_ok());
    let begins = number() && number();
    begins && !line.contains(',') && fields.count() >= 1
}

/// A request as it is written, for those who send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    pub id: u64,
    pub n: u64,
    pub job: String,
    pub port: u64,
    /// From the window's beginning.
    pub arrival_ns: u64,
    /// Where a table of service times has it.
    pub cpu_ns: Option<u64>,
}

/// Reads the requests of `window` as they are written, and how long they
/// arrive in nanoseconds. `times` need not have them all.
///
/// # Errors
/// When a line is no request, and when there are too many.
pub fn lines(
    mut source: Source,
    times: Option<&ServiceTimes>,
    window: Window,
) -> Result<(Vec<RequestLine>, u64), TraceError> {
    let mut order = Order::default();
    let mut lines = Vec::new();
    while source.advance()? {
        let line = Line::parse(source.line());
        let line = line.and_then(|line| order.check(&line).map(|()| line));
        let line = line.map_err(|(what, advice)| source.error(what, advice))?;
        if !window.has(order.arrival_ns) {
            continue;
        }
        if lines.len() >= MAX_REQUESTS {
            return Err(source.error(
                format!("more than {MAX_REQUESTS} requests"),
                "read a part with --from and --seconds",
            ));
        }
        let cpu_ns = times.and_then(|times| times.cpu_ns(line.job, line.n).ok());
        lines.push(RequestLine {
            id: line.id,
            n: line.n,
            job: line.job.to_owned(),
            port: line.port,
            arrival_ns: window.arrival_ns(order.arrival_ns),
            cpu_ns: cpu_ns.map(|ns| window.cpu_ns(ns)),
        });
    }
    let end_ns = match window.seconds {
        Some(_) => window.until_s() * NS_PER_S,
        None => order.arrival_ns,
    };
    Ok((lines, window.arrival_ns(end_ns)))
}

/// Reads the requests of `window`. The first arrives one `iat_ms` after the
/// recording's beginning.
///
/// # Errors
/// When a line is no request, or `times` misses one's CPU time.
pub fn read(mut source: Source, times: &ServiceTimes, window: Window) -> Result<Trace, TraceError> {
    let mut requests = Requests {
        times,
        builder: Builder::new(window),
        order: Order::default(),
    };
    while source.advance()? {
        requests
            .add(source.line())
            .map_err(|(what, advice)| source.error(what, advice))?;
    }
    Ok(requests.builder.finish(Some(requests.order.arrival_ns)))
}

/// What was read so far.
struct Requests<'a> {
    times: &'a ServiceTimes,
    builder: Builder,
    order: Order,
}

/// The order of requests.
#[derive(Default)]
struct Order {
    /// When the last one arrived.
    arrival_ns: f64,
    /// Its number.
    previous: Option<u64>,
}

impl Order {
    /// Goes on to the next one.
    fn check(&mut self, line: &Line) -> Result<(), Complaint> {
        if self.previous.is_some_and(|previous| line.id <= previous) {
            return Err((
                format!("request {} comes too late", line.id),
                "requests must be in the order of their numbers",
            ));
        }
        self.previous = Some(line.id);
        // Whole numbers, so that no sum of them is off.
        self.arrival_ns += (line.iat_ms * NS_PER_MS).round();
        if self.arrival_ns > Number::MAX {
            return Err(("the request arrives too late".into(), "check iat_ms"));
        }
        Ok(())
    }
}

impl Requests<'_> {
    fn add(&mut self, line: &str) -> Result<(), Complaint> {
        let line = Line::parse(line)?;
        self.order.check(&line)?;
        let cpu_ns = self.times.cpu_ns(line.job, line.n).map_err(|why| {
            let what = format!("no CPU time for {} with n {}", quoted(line.job), line.n);
            (format!("{what}: {why}"), "add that line job,n,cpu_ms")
        })?;
        let name = format!("{}-{}", line.job, line.port);
        let number = |names: &mut Names| names.number(&name);
        self.builder.add(number, self.order.arrival_ns, cpu_ns)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::super::Request;
    use super::*;

    const TIMES: &str = "job,n,cpu_ms\nfib,23,3.5\nfib,24,6\nbfs,100,0.25\n";

    fn trace(text: &str, window: Window) -> Result<Trace, TraceError> {
        let times = ServiceTimes::read(Source::new("times.csv", Cursor::new(TIMES))?)?;
        let text = text.as_bytes().to_vec();
        read(Source::new("a.txt", Cursor::new(text))?, &times, window)
    }

    #[test]
    fn a_request_is_for_the_function_of_its_port() {
        let text = "1 23 fib 20 5002\r\n2 100 bfs 10 5008\r\n3 24 fib 0.5 5002\r\n";
        let trace = trace(text, Window::default()).unwrap();
        let request = |arrival_ns, function, cpu_ns| Request {
            arrival_ns,
            function,
            cpu_ns,
        };
        assert_eq!(trace.functions, ["fib-5002", "bfs-5008"]);
        assert_eq!(
            trace.requests,
            [
                request(20_000_000, 0, 3_500_000),
                request(30_000_000, 1, 250_000),
                request(30_500_000, 0, 6_000_000),
            ]
        );
        assert_eq!(trace.duration_ns, 30_500_000);
    }

    #[test]
    fn lines_are_read_as_they_are_written() {
        let times = ServiceTimes::read(Source::new("times.csv", Cursor::new(TIMES)).unwrap());
        let times = times.unwrap();
        let text = "1 23 fib 20 5002\n5 9 other 10 5008\n";
        let window = Window {
            time_scale: 0.5,
            ..Window::default()
        };
        let source = Source::new("a.txt", Cursor::new(text)).unwrap();
        let (lines, duration_ns) = lines(source, Some(&times), window).unwrap();
        assert_eq!(duration_ns, 15_000_000);
        let other = RequestLine {
            id: 5,
            n: 9,
            job: "other".into(),
            port: 5008,
            arrival_ns: 15_000_000,
            cpu_ns: None,
        };
        assert_eq!(lines[1], other);
        assert_eq!(lines[0].cpu_ns, Some(3_500_000));
    }

    #[test]
    fn the_time_scale_is_that_of_arrivals() {
        let window = Window {
            time_scale: 0.21,
            ..Window::default()
        };
        let trace = trace("1 23 fib 20 5002\n", window).unwrap();
        assert_eq!(trace.requests[0].arrival_ns, 4_200_000);
        assert_eq!(trace.requests[0].cpu_ns, 3_500_000);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (line, what) in [
            ("2 23 fib 20", "4 fields where a request has 5"),
            ("2 23 fib 20 5002 1", "6 fields where a request has 5"),
            ("x 23 fib 20 5002", "id 'x' is no number"),
            ("2 23 fib -20 5002", "iat_ms '-20' is negative"),
            ("2 23 fib nan 5002", "iat_ms 'nan' is no number"),
            ("1 23 fib 20 5002", "request 1 comes too late"),
            (
                "2 25 fib 20 5002",
                "no CPU time for 'fib' with n 25: times.csv has no time for n 25 of job 'fib'",
            ),
            (
                "2 25 mst 20 5002",
                "no CPU time for 'mst' with n 25: times.csv has no job 'mst'",
            ),
        ] {
            let text = format!("1 23 fib 20 5002\n{line}\n");
            let error = trace(&text, Window::default()).unwrap_err();
            assert_eq!((error.line, error.what.as_str()), (Some(2), what));
        }
    }
}
