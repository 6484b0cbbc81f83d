// SPDX-License-Identifier: GPL-2.0-only
//! OpenLambda's HTTP interface: `POST /run/NAME`, `GET /status`, `GET /stats`.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use scx_alps::platform::openlambda::check_name;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use super::config::Config;
use super::failure::Failure;
use super::function::Function;
use super::invocation::{Answered, Call};
use super::limits::Limits;
use super::stats::Fate;
use super::{Shared, registry};

/// How long a request's head may take to arrive; so long may a connection rest,
/// too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest head of a request.
const HEAD_BYTES: usize = 16 << 10;

/// A server that has no descriptors left tries again after this.
const REST: Duration = Duration::from_millis(50);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What is behind one port.
pub struct Worker {
    config: Config,
    shared: Rc<Shared>,
    functions: RefCell<HashMap<String, Rc<Function>>>,
}

type Reply = Response<Full<Bytes>>;

impl Worker {
    pub fn new(config: Config, shared: Rc<Shared>) -> Rc<Self> {
        Rc::new(Self {
            config,
            shared,
            functions: RefCell::default(),
        })
    }

    /// Takes connections for ever.
    pub async fn serve(self: Rc<Self>, listener: TcpListener) {
        loop {
            let Ok(place) = self.shared.connections.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::task::spawn_local(self.clone().converse(stream, place));
                }
                Err(_) => sleep(REST).await,
            }
        }
    }

    async fn converse(self: Rc<Self>, stream: TcpStream, _place: OwnedSemaphorePermit) {
        // Answers are short and whole; where it cannot be set they are late.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let worker = self.clone();
            async move { Ok::<_, Infallible>(worker.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // A broken connection is its client's affair.
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let path = request.uri().path().to_owned();
        let result = match (path.as_str(), request.method()) {
            ("/status", &(Method::GET | Method::HEAD)) => {
                Ok(reply(StatusCode::OK, TEXT, "ready\n"))
            }
            ("/stats", &(Method::GET | Method::HEAD)) => {
                Ok(reply(StatusCode::OK, JSON, self.stats()))
            }
            ("/status" | "/stats", _) => Err(Failure::WrongMethod("GET")),
            (path, method) => match path.strip_prefix("/run/") {
                None => Err(Failure::NoSuchPath),
                Some(_) if method != Method::POST => Err(Failure::WrongMethod("POST")),
                Some(name) => self.run(name, request.into_body()).await,
            },
        };
        let mut reply = result.unwrap_or_else(|failure| apology(&failure));
        if self.shared.connections.available_permits() == 0 {
            // Others wait for a place, which one that rests would keep.
            let headers = reply.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    async fn run(&self, name: &str, body: Incoming) -> Result<Reply, Failure> {
        let arrival = Instant::now();
        // OpenLambda takes it so, too.
        let name = name.strip_suffix('/').unwrap_or(name);
        let name = &*percent_decode_str(name)
            .decode_utf8()
            .map_err(|_| Failure::BadName("the name is no UTF-8".to_owned()))?;
        check_name(name).map_err(Failure::BadName)?;
        let handler = registry::find(&self.config, name).map_err(Failure::NoHandler)?;
        let function = self.function(name)?;
        let mut account = Account::open(&function, arrival);
        let result: Result<_, Failure> = async {
            let (body, _room) = self.read(body, &function.limits).await?;
            let call = Call::of(&handler, body)?;
            let _turn = function.turn().await?;
            let begin = Instant::now();
            let launcher = &self.shared.launcher;
            let answered = launcher.run(&function, &handler, call).await?;
            Ok((answered, begin))
        }
        .await;
        match result {
            Ok((answered, begin)) => {
                account.close(Fate::Served);
                Ok(success(answered, arrival, begin))
            }
            Err(failure) => {
                account.close(failure.fate());
                Err(failure)
            }
        }
    }

    /// The function that requests for `name` are for, made where it is new.
    fn function(&self, name: &str) -> Result<Rc<Function>, Failure> {
        let name = self.config.function.as_deref().unwrap_or(name);
        let mut functions = self.functions.borrow_mut();
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let limits = self.config.limits_of(name);
        let made = self.shared.function(&self.config.name, name, limits);
        let function = made.map_err(|error| Failure::NotStarted(format!("{error:#}")))?;
        let function = Rc::new(function);
        functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// A request's body, and the room it takes among all bodies.
    async fn read(
        &self,
        mut body: Incoming,
        limits: &Limits,
    ) -> Result<(Bytes, Room<'_>), Failure> {
        let most = limits.body_bytes;
        if body.size_hint().lower() > most as u64 {
            return Err(Failure::BodyTooLong(most));
        }
        let mut room = Room::none(&self.shared.body_bytes);
        let mut bytes = BytesMut::new();
        let reading = async {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Failure::BodyBroken)?;
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                if bytes.len() + data.len() > most {
                    return Err(Failure::BodyTooLong(most));
                }
                room.take(data.len())?;
                bytes.extend_from_slice(&data);
            }
            Ok(())
        };
        timeout(limits.body_time, reading)
            .await
            .map_err(|_| Failure::BodySlow)??;
        Ok((bytes.freeze(), room))
    }

    fn stats(&self) -> String {
        let functions = self.functions.borrow();
        let shown: BTreeMap<&str, _> = functions
            .iter()
            .map(|(name, function)| (name.as_str(), function.show()))
            .collect();
        json!({"worker": self.config.name, "functions": shown}).to_string()
    }
}

/// Room for a body, given back when dropped.
struct Room<'a> {
    all: &'a Semaphore,
    taken: Vec<SemaphorePermit<'a>>,
}

impl<'a> Room<'a> {
    fn none(all: &'a Semaphore) -> Self {
        Self {
            all,
            taken: Vec::new(),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let bytes = u32::try_from(bytes).map_err(|_| Failure::NoRoom)?;
        let permit = self.all.try_acquire_many(bytes);
        let permit = permit.map_err(|_| Failure::NoRoom)?;
        match self.taken.first_mut() {
            Some(first) => first.merge(permit),
            None => self.taken.push(permit),
        }
        Ok(())
    }
}

/// Counts a request, whatever becomes of it.
struct Account<'a> {
    function: &'a Function,
    arrival: Instant,
    closed: bool,
}

impl<'a> Account<'a> {
    fn open(function: &'a Function, arrival: Instant) -> Self {
        Self {
            function,
            arrival,
            closed: false,
        }
    }

    fn close(&mut self, fate: Fate) {
        self.closed = true;
        let response_us = self.arrival.elapsed().as_micros() as u64;
        self.function.stats.borrow_mut().count(fate, response_us);
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if !self.closed {
            self.close(Fate::Abandoned);
        }
    }
}

/// An answer with what it took: milliseconds in the queue, from the start of
/// the process to its end, and of CPU time.
fn success(answered: Answered, arrival: Instant, begin: Instant) -> Reply {
    let ms = |ns: u64| ns as f64 / 1e6;
    let ending = &answered.ending;
    let timing = format!(
        "queue;dur={:.3}, run;dur={:.3}, cpu;dur={:.3}, switches;desc={}",
        (begin - arrival).as_secs_f64() * 1e3,
        ms(ending.end_ns.saturating_sub(ending.start_ns)),
        ms(ending.cpu_ns),
        ending.switches,
    );
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&answered.bytes).is_ok();
    let kind = if is_json { JSON } else { TEXT };
    let mut reply = reply(StatusCode::OK, kind, answered.bytes);
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        reply.headers_mut().insert("server-timing", timing);
    }
    reply
}

fn apology(failure: &Failure) -> Reply {
    let mut reply = reply(failure.status(), JSON, failure.json());
    let headers = reply.headers_mut();
    if let Failure::WrongMethod(allowed) = failure {
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    if failure.ends_connection() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if failure.is_passing() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

fn reply(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}
