// SPDX-License-Identifier: GPL-2.0-only
//! Traces as files, in the formats that [`read`](super::read) takes back.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::{Request, Trace};

const NS_PER_US: u64 = 1_000;
const NS_PER_MS: u64 = 1_000_000;

/// The port of the first function in the ALPS format.
const FIRST_PORT: usize = 5000;

/// Writes `arrival_us,function,cpu_us`.
///
/// # Errors
/// When it cannot be written.
pub fn plain(trace: &Trace, out: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["arrival_us", "function", "cpu_us"])?;
    for request in &trace.requests {
        writer.write_record([
            &decimal(request.arrival_ns, NS_PER_US),
            function(trace, request),
            &decimal(request.cpu_ns, NS_PER_US),
        ])?;
    }
    writer.flush()
}

/// Writes `id n job iat_ms port`; [`service_times`] has the CPU times.
///
/// A request's argument `n` is its CPU time in microseconds, rounded up, and
/// each function has its port.
///
/// # Errors
/// When it cannot be written.
pub fn alps(trace: &Trace, mut out: impl Write) -> io::Result<()> {
    let mut previous_ns = 0;
    for (id, request) in (1..).zip(&trace.requests) {
        writeln!(
            out,
            "{id} {} {} {} {}",
            argument(request),
            function(trace, request),
            decimal(request.arrival_ns.saturating_sub(previous_ns), NS_PER_MS),
            FIRST_PORT + request.function as usize,
        )?;
        previous_ns = request.arrival_ns;
    }
    out.flush()
}

/// Writes the table `job,n,cpu_ms` that goes with [`alps`].
///
/// # Errors
/// When it cannot be written.
pub fn service_times(trace: &Trace, out: impl Write) -> io::Result<()> {
    let pairs: BTreeSet<(&str, u64)> = trace
        .requests
        .iter()
        .map(|request| (function(trace, request), argument(request)))
        .collect();
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["job", "n", "cpu_ms"])?;
    for (job, cpu_us) in pairs {
        let cpu_ms = decimal(cpu_us * NS_PER_US, NS_PER_MS);
        writer.write_record([job, &cpu_us.to_string(), &cpu_ms])?;
    }
    writer.flush()
}

fn function<'a>(trace: &'a Trace, request: &Request) -> &'a str {
    let name = trace.functions.get(request.function as usize);
    name.map_or("", String::as_str)
}

fn argument(request: &Request) -> u64 {
    request.cpu_ns.div_ceil(NS_PER_US)
}

/// `value / unit` as a decimal number, exactly; `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, part) = (value / unit, value % unit);
    if part == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let text = format!("{whole}.{part:0digits$}");
    text.trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::{Format, Recording, ServiceTimes, Source, Window, read};
    use super::*;

    fn source(text: &[u8]) -> Source {
        Source::new("f", Cursor::new(text.to_vec())).unwrap()
    }

    fn read_back(format: Format, text: &[u8], times: Option<&ServiceTimes>) -> Trace {
        match read::read(format, vec![source(text)], times, Window::default()).unwrap() {
            Recording::Requests(trace) => trace,
            Recording::Minutes(_) => panic!("counts"),
        }
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        assert_eq!(decimal(1_500, NS_PER_US), "1.5");
        assert_eq!(decimal(2_000, NS_PER_US), "2");
        assert_eq!(decimal(7, NS_PER_MS), "0.000007");
    }

    /// Traces of whole microseconds, of at most 11 days.
    fn traces() -> impl Strategy<Value = Trace> {
        let request = (0u64..1_000_000_000_000, 0u32..4, 1u64..10_000_000);
        prop::collection::vec(request, 1..50).prop_map(|mut requests| {
            requests.sort_unstable();
            Trace {
                functions: ["a", "b,\"", "c'", "d"].map(String::from).to_vec(),
                requests: requests
                    .into_iter()
                    .map(|(arrival_us, function, cpu_us)| Request {
                        arrival_ns: arrival_us * NS_PER_US,
                        function,
                        cpu_ns: cpu_us * NS_PER_US,
                    })
                    .collect(),
                duration_ns: 0,
            }
        })
    }

    /// Without what depends on the order in which functions came up.
    fn content(trace: &Trace) -> Vec<(u64, &str, u64)> {
        let requests = trace.requests.iter();
        requests
            .map(|r| (r.arrival_ns, function(trace, r), r.cpu_ns))
            .collect()
    }

    proptest! {
        #[test]
        fn plain_is_read_back(trace in traces()) {
            let mut text = Vec::new();
            plain(&trace, &mut text).unwrap();
            let back = read_back(Format::Plain, &text, None);
            prop_assert_eq!(content(&back), content(&trace));
        }

        #[test]
        fn alps_is_read_back(trace in traces()) {
            let (mut text, mut times) = (Vec::new(), Vec::new());
            alps(&trace, &mut text).unwrap();
            service_times(&trace, &mut times).unwrap();
            let times = ServiceTimes::read(source(&times)).unwrap();
            let back = read_back(Format::Alps, &text, Some(&times));
            prop_assert_eq!(back.requests.len(), trace.requests.len());
            for (back, there) in back.requests.iter().zip(&trace.requests) {
                prop_assert_eq!((back.arrival_ns, back.cpu_ns), (there.arrival_ns, there.cpu_ns));
            }
        }
    }
}
