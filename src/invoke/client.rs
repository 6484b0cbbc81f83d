// SPDX-License-Identifier: GPL-2.0-only
//! The open-loop client: each request is sent when it is due, whatever became
//! of those before, over connections that are kept.
//!
//! One thread waits for the requests' times, for a runtime's timers are no
//! finer than a millisecond; another speaks HTTP. Both run SCHED_FIFO where
//! that is allowed, so that the load does not depend on who schedules.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use nix::sys::signal::{SigSet, Signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::{Answer, Timing};
use super::calls::{Call, Calls};
use crate::bench::cgroups::raise_file_limit;
use crate::bench::clock::{self, MONOTONIC, NS_PER_S};
use crate::bench::process::run_fifo;

/// For both threads to be waiting before the first request is due.
const START_NS: u64 = NS_PER_S / 20;

/// How often waiting looks for an interruption.
const PATIENCE_NS: u64 = NS_PER_S / 5;

/// Of an answer no more is read.
const ANSWER_BYTES: usize = 16 << 20;

/// Of an answer that tells of an error, so much is kept.
const ERROR_CHARACTERS: usize = 200;

/// Any real-time priority will do.
const PRIORITY: i32 = 10;

/// What was sent, and what came of it.
pub struct Sent {
    /// When the trace began, on the monotonic clock.
    pub start_ns: u64,
    /// One for each call, in their order.
    pub answers: Vec<Answer>,
    /// Whether the client ran SCHED_FIFO.
    pub is_real_time: bool,
}

type Http = Client<HttpConnector, Full<Bytes>>;

/// Sends all calls and waits for the answers, for each no longer than `limit`.
/// A call that finds all `connections` in use waits for one, which its response
/// counts.
///
/// # Errors
/// When there is no thread to be had, and when `interrupted` became true.
pub fn send(
    calls: Calls,
    connections: u32,
    limit: Duration,
    interrupted: &AtomicBool,
) -> Result<Sent> {
    raise_file_limit();
    let calls = Arc::new(calls);
    let (due, mut coming) = mpsc::unbounded_channel();
    let start_ns = clock::now_ns(MONOTONIC) + START_NS;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the client")?;
    thread::scope(|scope| {
        let pacing = Arc::clone(&calls);
        thread::Builder::new()
            .name("alps-pacer".to_owned())
            .spawn_scoped(scope, move || pace(&pacing, start_ns, &due, interrupted))
            .context("cannot start a thread")?;
        let client = thread::Builder::new()
            .name("alps-client".to_owned())
            .spawn_scoped(scope, || {
                // A server that hangs up is no reason to end.
                let mut broken_pipe = SigSet::empty();
                broken_pipe.add(Signal::SIGPIPE);
                broken_pipe.thread_block()?;
                let is_real_time = run_fifo(PRIORITY).is_ok();
                let answers = runtime.block_on(converse(
                    &calls,
                    &mut coming,
                    connections,
                    limit,
                    interrupted,
                ));
                answers.map(|answers| Sent {
                    start_ns,
                    answers,
                    is_real_time,
                })
            })
            .context("cannot start a thread")?;
        client
            .join()
            .map_err(|_| anyhow!("the client's thread panicked"))?
    })
}

/// Says of each call when it is due.
fn pace(
    calls: &Calls,
    start_ns: u64,
    due: &mpsc::UnboundedSender<(usize, u64)>,
    interrupted: &AtomicBool,
) {
    // Where it is not allowed, that is told of by the other thread.
    let _ = run_fifo(PRIORITY);
    for (place, call) in calls.calls.iter().enumerate() {
        let due_ns = start_ns + call.arrival_ns;
        loop {
            let now_ns = clock::now_ns(MONOTONIC);
            if interrupted.load(Relaxed) {
                return;
            }
            if now_ns >= due_ns {
                break;
            }
            clock::sleep_until(due_ns.min(now_ns + PATIENCE_NS));
        }
        if due.send((place, clock::now_ns(MONOTONIC))).is_err() {
            return;
        }
    }
}

async fn converse(
    calls: &Arc<Calls>,
    coming: &mut mpsc::UnboundedReceiver<(usize, u64)>,
    connections: u32,
    limit: Duration,
    interrupted: &AtomicBool,
) -> Result<Vec<Answer>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let http: Http = Client::builder(TokioExecutor::new())
        .retry_canceled_requests(true)
        .build(connector);
    let connections = Arc::new(Semaphore::new(connections as usize));
    let mut answers = vec![Answer::default(); calls.calls.len()];
    let mut under_way = JoinSet::new();
    let mut all_sent = false;
    while !all_sent || !under_way.is_empty() {
        tokio::select! {
            next = coming.recv(), if !all_sent => match next {
                Some((place, woken_ns)) => {
                    let (http, calls) = (http.clone(), Arc::clone(calls));
                    let connections = Arc::clone(&connections);
                    under_way.spawn(async move {
                        let answer = ask(&http, &calls, &connections, place, woken_ns, limit);
                        (place, answer.await)
                    });
                }
                None => all_sent = true,
            },
            Some(done) = under_way.join_next() => {
                let (place, answer) = done.context("a request's task failed")?;
                if let Some(slot) = answers.get_mut(place) {
                    *slot = answer;
                }
            }
            () = sleep(Duration::from_nanos(PATIENCE_NS)) => {}
        }
        if interrupted.load(Relaxed) {
            bail!("interrupted");
        }
    }
    Ok(answers)
}

async fn ask(
    http: &Http,
    calls: &Calls,
    connections: &Semaphore,
    place: usize,
    woken_ns: u64,
    limit: Duration,
) -> Answer {
    let mut answer = Answer {
        woken_ns,
        ..Answer::default()
    };
    let result = match calls.calls.get(place) {
        Some(call) => {
            let conversation = async {
                let _connection = connections.acquire().await;
                exchange(http, calls, call, &mut answer).await
            };
            timeout(limit, conversation).await.unwrap_or_else(|_| {
                Err(format!(
                    "no answer within {}",
                    humantime::format_duration(limit)
                ))
            })
        }
        None => Err("there is no such request".to_owned()),
    };
    answer.end_ns = clock::now_ns(MONOTONIC);
    answer.error = result.err();
    answer
}

async fn exchange(
    http: &Http,
    calls: &Calls,
    call: &Call,
    answer: &mut Answer,
) -> Result<(), String> {
    let target = calls.targets.get(call.target as usize);
    let target = target.ok_or("there is no such function")?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(target.uri.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(calls.body(call))))
        .map_err(|error| error.to_string())?;
    let response = http.request(request).await.map_err(|error| chain(&error))?;
    let status = response.status();
    if let Some(timing) = response.headers().get("server-timing") {
        answer.timing = Timing::parse(timing.to_str().unwrap_or(""));
    }
    let body = Limited::new(response.into_body(), ANSWER_BYTES);
    let body = body.collect().await.map_err(|error| error.to_string())?;
    answer.status = Some(status.as_u16());
    if status.is_success() {
        return Ok(());
    }
    let body = body.to_bytes();
    let words = String::from_utf8_lossy(&body);
    let words: String = words.trim().chars().take(ERROR_CHARACTERS).collect();
    Err(format!("{status}: {words}"))
}

/// An error with its causes: the client's own says no more than "failed".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
