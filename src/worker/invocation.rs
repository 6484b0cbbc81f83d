// SPDX-License-Identifier: GPL-2.0-only
//! One invocation: a process of its own, from its start to its answer.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use nix::sys::memfd::{MFdFlags, memfd_create};
use scx_alps::handler::Event;
use serde_json::Value;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

use super::failure::Failure;
use super::function::Function;
use super::interpreter::Interpreter;
use super::order::{Ending, Order, Status, Work};
use super::output::{self, Output};
use super::peer::{Job, Peer};
use super::registry::Handler;

/// How long output may come after its process has ended: what is left in the
/// pipe. A process that escaped may hold the pipe open.
const AFTERWARDS: Duration = Duration::from_millis(100);

/// How long a killed process may take to be gone.
const DEATH: Duration = Duration::from_secs(2);

/// An event that can be handed to a handler.
pub enum Call {
    Builtin(Event),
    /// The body as it came.
    Text(Bytes),
}

/// An answer, and what it took.
pub struct Answered {
    pub bytes: Vec<u8>,
    pub ending: Ending,
}

/// What is common to all invocations.
pub struct Launcher {
    pub forker: Rc<Peer>,
    pub null: File,
}

impl Call {
    /// # Errors
    /// When `body` is not JSON, or not what the handler takes.
    pub fn of(handler: &Handler, body: Bytes) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::BadEvent(why);
        let json = || serde_json::from_slice::<Value>(&body);
        match handler {
            Handler::Builtin(builtin) => {
                let json =
                    json().map_err(|error| wrong(format!("the body is not JSON: {error}")))?;
                let event = Event::of(*builtin, &json);
                event
                    .map(Self::Builtin)
                    .map_err(|error| wrong(error.to_string()))
            }
            Handler::Executable(_) | Handler::Python(..) => {
                if !body.is_empty() {
                    serde_json::from_slice::<serde::de::IgnoredAny>(&body)
                        .map_err(|error| wrong(format!("the body is not JSON: {error}")))?;
                }
                Ok(Self::Text(body))
            }
        }
    }
}

impl Launcher {
    /// Runs `function` once and waits for its answer. Dropping the future
    /// kills the process.
    ///
    /// # Errors
    /// When there is no answer, and why.
    pub async fn run(
        &self,
        function: &Function,
        handler: &Handler,
        call: Call,
    ) -> Result<Answered, Failure> {
        let broken = |error: io::Error| Failure::NotStarted(error.to_string());
        let (out, writer) = output::pipe().map_err(broken)?;
        // It must not be taken for idle while it works for this one.
        let mut _interpreter = None;
        let (job, words) = match (handler, call) {
            (Handler::Builtin(builtin), Call::Builtin(event)) => {
                let work = Work::Builtin {
                    name: builtin.name().to_owned(),
                    n: event.n,
                    id: event.id,
                };
                let null = self.null.as_raw_fd();
                let fds = [null, writer.as_raw_fd(), writer.as_raw_fd()];
                (self.start(function, work, &fds).await?, None)
            }
            (_, Call::Text(body)) => {
                let event = memory_file(&body).map_err(broken)?;
                let (words, words_writer) = output::pipe().map_err(broken)?;
                let fds = [&event, &writer, &words_writer].map(AsRawFd::as_raw_fd);
                let job = match handler {
                    Handler::Python(file, modified) => {
                        let interpreter = Interpreter::of(function, file, *modified);
                        let peer = interpreter.peer(&self.forker, function).await?;
                        let job = peer.job();
                        let run = Order::Run { job: job.number };
                        peer.send(&run, &fds).await.map_err(broken)?;
                        _interpreter = Some(interpreter);
                        job
                    }
                    Handler::Executable(file) => {
                        let work = Work::Executable(file.clone());
                        self.start(function, work, &fds).await?
                    }
                    Handler::Builtin(_) => return Err(broken(io::ErrorKind::InvalidInput.into())),
                };
                (job, Some(words))
            }
            (_, Call::Builtin(_)) => return Err(broken(io::ErrorKind::InvalidInput.into())),
        };
        drop(writer);
        let result = await_answer(function, job, out, words).await;
        if let Err(Failure::NotStarted(_)) = &result {
            function.hold();
        }
        match result {
            Err(Failure::Crashed(how, words)) if function.was_short_of_memory() => {
                let how = format!("{how}, as memory was short");
                Err(Failure::Crashed(how, words))
            }
            result => result,
        }
    }

    async fn start(&self, function: &Function, work: Work, fds: &[i32; 3]) -> Result<Job, Failure> {
        let job = self.forker.job();
        let start = function.start(job.number, work);
        let cgroup = function.cgroup.as_ref().map(|cgroup| cgroup.fd());
        let fds: Vec<i32> = fds.iter().copied().chain(cgroup).collect();
        let sent = self.forker.send(&Order::Start(start), &fds).await;
        sent.map_err(|error| Failure::NotStarted(error.to_string()))?;
        Ok(job)
    }
}

async fn await_answer(
    function: &Function,
    mut job: Job,
    out: Receiver,
    words: Option<Receiver>,
) -> Result<Answered, Failure> {
    let limits = &function.limits;
    let (mut answer, mut said) = (Output::default(), Output::default());
    let mut deadline = pin!(sleep_until(Instant::now() + limits.time));
    let mut ending = None;
    let (mut answered, mut quiet) = (false, words.is_none());
    let verdict = loop {
        if answered && quiet && ending.is_some() {
            break None;
        }
        tokio::select! {
            end = job.ending(), if ending.is_none() => {
                let Some(end) = end else {
                    break Some(Failure::Crashed("was killed with its interpreter".to_owned(), said.text()));
                };
                ending = Some(end);
                deadline.as_mut().reset(Instant::now() + AFTERWARDS);
            }
            read = answer.answer(&out, limits.answer_bytes), if !answered => {
                if read.is_err() {
                    break Some(Failure::AnswerTooLong(limits.answer_bytes));
                }
                answered = true;
            }
            read = said.words(words.as_ref().unwrap_or(&out)), if !quiet => {
                if read.is_err() {
                    break Some(Failure::AnswerTooLong(output::MAX_WORDS_BYTES));
                }
                quiet = true;
            }
            () = &mut deadline => {
                break ending.is_none().then_some(Failure::TimedOut(limits.time));
            }
        }
    };
    if ending.is_none() {
        job.kill();
        ending = timeout(DEATH, job.ending()).await.ok().flatten();
    }
    if let Some(ending) = &ending {
        function.stats.borrow_mut().add_cpu_ns(ending.cpu_ns);
    }
    if let Some(failure) = verdict {
        return Err(failure);
    }
    let words = if words.is_some() { &said } else { &answer };
    match ending {
        Some(ending) => match ending.status {
            Status::Exited(0) => Ok(Answered {
                bytes: answer.bytes,
                ending,
            }),
            Status::Exited(code) => Err(Failure::Crashed(
                format!("ended with exit status {code}"),
                words.text(),
            )),
            Status::Signalled(number) => Err(Failure::Crashed(
                format!("was killed by signal {number}"),
                words.text(),
            )),
            Status::NotStarted(number) => Err(Failure::NotStarted(
                io::Error::from_raw_os_error(number).to_string(),
            )),
        },
        None => Err(Failure::TimedOut(limits.time)),
    }
}

/// A file in memory with `bytes` in it, to be read from its beginning.
fn memory_file(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"event", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytes)?;
    io::Seek::rewind(&mut file)?;
    Ok(file.into())
}
