// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps invoke`: sends a trace's requests over HTTP when they are due, to
//! this program's worker or to any other with OpenLambda's interface.

mod answer;
mod calls;
mod client;
mod cpu_list;
mod latencies;
pub mod outcomes;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hyper::Uri;
use scx_alps::report::{Conditions, Contender, Run, Setting, text};
use serde::Serialize;

pub use calls::Calls;
pub use client::{Sent, send};
use cpu_list::CpuList;
use latencies::Latencies;

use crate::bench::clock::NS_PER_S;
use crate::bench::host::Host;
use crate::bench::interrupt::Interrupt;
use crate::bench::{preflight, sched_ext};
use crate::workload::WorkloadArgs;
use crate::{results, status};

/// OpenLambda's own port, for traces that name none.
const DEFAULT_PORT: u16 = 5000;

/// Fewer than the worker holds at once. Where more are opened than a server takes,
/// the kernel resets them or lets them wait for seconds, and what is measured is
/// that.
pub const CONNECTIONS: u32 = 4000;

/// Send a trace's requests over HTTP when they are due.
#[derive(Args, Clone, Debug)]
pub struct InvokeArgs {
    #[command(flatten)]
    pub workload: WorkloadArgs,

    /// Where the worker is; without a port, the trace's are taken, or 5000
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1")]
    pub url: String,

    /// The client's own CPUs, such as 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    cpus: Option<CpuList>,

    /// Send so many requests a second, evenly, instead of when the trace says
    #[arg(long, value_name = "PER SECOND", value_parser = rate)]
    rate: Option<f64>,

    /// Send no more than the first so many requests
    #[arg(long, value_name = "COUNT")]
    requests: Option<usize>,

    /// What a synthetic trace is drawn by
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// CPUs the load is meant for [default: all of this machine]
    #[arg(long, value_name = "COUNT")]
    load_cpus: Option<u32>,

    /// How long an answer may take
    #[arg(long, value_name = "TIME", default_value = "120s",
          value_parser = crate::cli::positive_duration)]
    timeout: Duration,

    /// Connections at once, over all ports; requests that find all in use wait,
    /// which their responses count
    #[arg(long, value_name = "COUNT", default_value_t = CONNECTIONS,
          value_parser = clap::value_parser!(u32).range(1..=60_000))]
    connections: u32,

    /// Folder to write report.html, its plots, summary.json, invocations.csv,
    /// requests.csv and latencies.hgrm to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Sends the requests and reports what became of them.
///
/// # Errors
/// When nothing can be sent, when it was interrupted, and when no request was
/// served.
pub fn run(args: &InvokeArgs) -> Result<()> {
    let host = Host::this()?;
    let cpus = args.load_cpus.unwrap_or(host.cpus);
    let mut calls = calls(args, cpus)?;
    if let Some(most) = args.requests {
        calls.cut(most);
    }
    if let Some(rate) = args.rate {
        calls.set_rate(rate);
    }
    ensure!(!calls.calls.is_empty(), "the trace has no requests to send");
    if let Some(dir) = &args.out {
        preflight::output(dir)?;
    }
    if let Some(own) = &args.cpus {
        own.keep_to()?;
    }
    let interrupt = Interrupt::catch()?;
    let sent = send(
        calls.clone(),
        args.connections,
        args.timeout,
        interrupt.raised(),
    )?;
    if !sent.is_real_time {
        eprintln!("note: the client could not run SCHED_FIFO; it does as root");
    }

    let contender = match sched_ext::in_force() {
        Some(reign) => Contender::new(reign.name),
        None => Contender::new(host.kernel_scheduler()),
    };
    let round = outcomes::round(0, contender, args.seed, &calls, &sent)?;
    let served = round.outcomes.len();
    let responses = round.outcomes.iter().map(|outcome| outcome.response_ns());
    let latencies = Latencies::of(responses);
    let run = Run {
        conditions: Conditions {
            version: format!("scx_alps {}", status::version()),
            command: std::env::args().collect::<Vec<_>>().join(" "),
            machine: Some(host.machine()),
        },
        settings: vec![setting(args, &calls, cpus)],
        rounds: vec![round],
        bound: None,
    };
    let mut out = io::stdout().lock();
    write!(out, "{}", text::report(&run))?;
    writeln!(
        out,
        "{served} of {} requests served, {:.1} a second",
        calls.calls.len(),
        served as f64 / elapsed_s(&sent)
    )?;
    writeln!(out, "{}", latencies.line())?;
    if let Some(dir) = &args.out {
        results::write(dir, &run)?;
        results::file(&dir.join("latencies.hgrm"), |out| latencies.write(out))?;
        results::file(&dir.join("requests.csv"), |out| {
            let mut csv = csv::Writer::from_writer(out);
            for row in rows(&calls, &sent) {
                csv.serialize(row).map_err(io::Error::other)?;
            }
            csv.flush()
        })?;
        eprintln!("written to {}", dir.display());
    }
    ensure!(served > 0, "no request was served");
    Ok(())
}

fn calls(args: &InvokeArgs, cpus: u32) -> Result<Calls> {
    let url = args.url.trim_end_matches('/');
    let parsed: Uri = url
        .parse()
        .with_context(|| format!("--url {url:?} is no URL; pass http://127.0.0.1"))?;
    if parsed.path() != "/" && !parsed.path().is_empty() {
        bail!("--url {url:?}: leave out the path, which the trace names");
    }
    let has_port = parsed.port().is_some();
    if let Some((lines, duration_ns)) = args.workload.request_lines()? {
        return Calls::of_lines(&lines, duration_ns, url, has_port);
    }
    let trace = args.workload.load(args.seed, cpus)?;
    if has_port {
        Calls::of_trace(&trace, url)
    } else {
        Calls::of_trace(&trace, &format!("{url}:{DEFAULT_PORT}"))
    }
}

fn setting(args: &InvokeArgs, calls: &Calls, cpus: u32) -> Setting {
    let cpu_ns: u64 = calls.calls.iter().filter_map(|call| call.cpu_ns).sum();
    let capacity_ns = calls.duration_ns as f64 * f64::from(cpus);
    Setting {
        trace: args.workload.name(),
        layout: format!("over HTTP to {}", args.url),
        load: if capacity_ns > 0.0 {
            cpu_ns as f64 / capacity_ns
        } else {
            0.0
        },
        cpus,
        seconds: calls.duration_ns as f64 / NS_PER_S as f64,
        functions: calls.targets.iter().map(|t| t.name.clone()).collect(),
    }
}

/// From the first request's time to the last answer.
fn elapsed_s(sent: &Sent) -> f64 {
    let last_ns = sent.answers.iter().map(|answer| answer.end_ns).max();
    let elapsed_ns = last_ns.unwrap_or(0).saturating_sub(sent.start_ns);
    elapsed_ns.max(1) as f64 / NS_PER_S as f64
}

/// One request, in `requests.csv`. Times are from the start of the trace.
#[derive(Serialize)]
struct Row<'a> {
    id: u64,
    function: &'a str,
    n: u64,
    due_us: u64,
    sent_us: u64,
    end_us: u64,
    /// Empty where there was no answer.
    status: Option<u16>,
    cpu_us: Option<u64>,
    error: &'a str,
}

fn rows<'a>(calls: &'a Calls, sent: &'a Sent) -> impl Iterator<Item = Row<'a>> {
    let since_start_us = |ns: u64| ns.saturating_sub(sent.start_ns) / 1000;
    let pairs = calls.calls.iter().zip(&sent.answers);
    pairs.map(move |(call, answer)| Row {
        id: call.id,
        function: calls
            .targets
            .get(call.target as usize)
            .map_or("", |target| target.name.as_str()),
        n: call.n,
        due_us: call.arrival_ns / 1000,
        sent_us: since_start_us(answer.woken_ns),
        end_us: since_start_us(answer.end_ns),
        status: answer.status,
        cpu_us: answer.timing.cpu_ns.map(|ns| ns / 1000),
        error: answer.error.as_deref().unwrap_or(""),
    })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it must be a number")?;
    if (1e-3..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err("it must be between 0.001 and 1000000".to_owned())
    }
}
