// SPDX-License-Identifier: GPL-2.0-only
//! A trace as requests over HTTP: what is sent where, and when.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use hyper::Uri;
use scx_alps::trace::Trace;
use scx_alps::trace::read::alps::RequestLine;
use serde_json::json;

const NS_PER_US: u64 = 1000;

/// Requests in the order of their arrival.
#[derive(Clone, Debug)]
pub struct Calls {
    pub targets: Vec<Target>,
    pub calls: Vec<Call>,
    /// The time over which they arrive.
    pub duration_ns: u64,
}

/// A function, and where it is asked for.
#[derive(Clone, Debug)]
pub struct Target {
    /// As reports name it.
    pub name: String,
    /// As the worker names it.
    pub job: String,
    pub uri: Uri,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub arrival_ns: u64,
    /// Index into [`Calls::targets`].
    pub target: u32,
    pub id: u64,
    /// The function's argument.
    pub n: u64,
    /// The CPU time it takes, where that is known.
    pub cpu_ns: Option<u64>,
}

impl Calls {
    /// The requests of a trace: each function is asked for by its name, with
    /// its CPU time in microseconds as `n`, which the worker's `spin` takes.
    ///
    /// # Errors
    /// When a function's name cannot be part of a URL.
    pub fn of_trace(trace: &Trace, base: &str) -> Result<Self> {
        let target = |name: &String| {
            Ok(Target {
                name: name.clone(),
                job: name.clone(),
                uri: uri(base, name)?,
            })
        };
        let calls = (0..).zip(&trace.requests).map(|(id, request)| Call {
            arrival_ns: request.arrival_ns,
            target: request.function,
            id,
            n: request.cpu_ns.div_ceil(NS_PER_US),
            cpu_ns: Some(request.cpu_ns),
        });
        Ok(Self {
            targets: trace.functions.iter().map(target).collect::<Result<_>>()?,
            calls: calls.collect(),
            duration_ns: trace.duration_ns,
        })
    }

    /// The requests of the ALPS artifact's trace, each to the port it names,
    /// unless `base` has one.
    ///
    /// # Errors
    /// When a job's name cannot be part of a URL.
    pub fn of_lines(
        lines: &[RequestLine],
        duration_ns: u64,
        base: &str,
        has_port: bool,
    ) -> Result<Self> {
        let mut numbers: HashMap<(String, u64), u32> = HashMap::new();
        let mut targets = Vec::new();
        let mut calls = Vec::with_capacity(lines.len());
        for line in lines {
            let key = (line.job.clone(), line.port);
            let target = match numbers.get(&key) {
                Some(&target) => target,
                None => {
                    let place = match has_port {
                        true => base.to_owned(),
                        false => format!("{base}:{}", line.port),
                    };
                    targets.push(Target {
                        name: format!("{}-{}", line.job, line.port),
                        job: line.job.clone(),
                        uri: uri(&place, &line.job)?,
                    });
                    let target = u32::try_from(targets.len() - 1)?;
                    numbers.insert(key, target);
                    target
                }
            };
            calls.push(Call {
                arrival_ns: line.arrival_ns,
                target,
                id: line.id,
                n: line.n,
                cpu_ns: line.cpu_ns,
            });
        }
        Ok(Self {
            targets,
            calls,
            duration_ns,
        })
    }

    /// Spreads them evenly, so many a second.
    pub fn set_rate(&mut self, per_second: f64) {
        let gap_ns = 1e9 / per_second;
        for (place, call) in (0u64..).zip(&mut self.calls) {
            call.arrival_ns = (place as f64 * gap_ns) as u64;
        }
        self.duration_ns = (self.calls.len() as f64 * gap_ns) as u64;
    }

    /// Leaves out all but the first `most`.
    pub fn cut(&mut self, most: usize) {
        if let Some(next) = self.calls.get(most) {
            self.duration_ns = next.arrival_ns;
        }
        self.calls.truncate(most);
    }

    /// What is sent with a request.
    pub fn body(&self, call: &Call) -> String {
        let job = self.targets.get(call.target as usize);
        let job = job.map_or("", |target| target.job.as_str());
        // As the original's client does, with the numbers as text.
        json!({"n": call.n.to_string(), "id": call.id.to_string(), "job": job}).to_string()
    }
}

fn uri(base: &str, job: &str) -> Result<Uri> {
    let text = format!("{base}/run/{job}");
    let uri: Uri = text
        .parse()
        .with_context(|| format!("{text:?} is no URL; pass --url http://127.0.0.1:5000"))?;
    ensure!(
        uri.scheme_str() == Some("http") && uri.host().is_some(),
        "{text:?}: a URL begins with http:// and has a host, such as http://127.0.0.1"
    );
    ensure!(
        uri.path() == format!("/run/{job}"),
        "the function's name {job:?} cannot be part of a URL"
    );
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use scx_alps::trace::Request;

    use super::*;

    fn line(id: u64, job: &str, port: u64) -> RequestLine {
        RequestLine {
            id,
            n: 20 + id,
            job: job.to_owned(),
            port,
            arrival_ns: id * 1000,
            cpu_ns: None,
        }
    }

    #[test]
    fn the_port_of_a_line_is_where_it_goes() {
        let lines = [
            line(1, "fib", 5002),
            line(2, "fib", 5003),
            line(3, "fib", 5002),
        ];
        let calls = Calls::of_lines(&lines, 10_000, "http://127.0.0.1", false).unwrap();
        let uris: Vec<String> = calls.targets.iter().map(|t| t.uri.to_string()).collect();
        assert_eq!(
            uris,
            [
                "http://127.0.0.1:5002/run/fib",
                "http://127.0.0.1:5003/run/fib"
            ]
        );
        assert_eq!(calls.calls[2].target, 0);
        assert_eq!(
            calls.body(&calls.calls[0]),
            r#"{"id":"1","job":"fib","n":"21"}"#
        );
    }

    #[test]
    fn a_trace_asks_for_cpu_time() {
        let trace = Trace {
            functions: vec!["f".into()],
            requests: vec![Request {
                arrival_ns: 5,
                function: 0,
                cpu_ns: 1_500_000,
            }],
            duration_ns: 10,
        };
        let mut calls = Calls::of_trace(&trace, "http://h:1").unwrap();
        assert_eq!(calls.calls[0].n, 1500);
        calls.set_rate(10.0);
        assert_eq!(
            (calls.calls[0].arrival_ns, calls.duration_ns),
            (0, 100_000_000)
        );
        calls.cut(0);
        assert_eq!((calls.calls.len(), calls.duration_ns), (0, 0));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        let trace = |name: &str| Trace {
            functions: vec![name.into()],
            ..Trace::default()
        };
        for (base, name) in [
            ("https://h", "f"),
            ("h:1", "f"),
            ("http://", "f"),
            ("http://h", "a?b"),
            ("http://h", "a#b"),
        ] {
            assert!(
                Calls::of_trace(&trace(name), base).is_err(),
                "{base} {name}"
            );
        }
    }
}
