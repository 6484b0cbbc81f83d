// SPDX-License-Identifier: GPL-2.0-only
//! A Python interpreter with a function's file loaded, which forks a process
//! for each request. It lives in the function's cgroup and as its user.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::unix::pipe::Receiver;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::failure::Failure;
use super::function::Function;
use super::messages;
use super::order::{Order, Work};
use super::output::{self, Output};
use super::peer::{Job, Peer};

/// A file that could not be loaded is not loaded again for so long.
const REST: Duration = Duration::from_secs(1);

/// For what it said to be read after it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

pub struct Interpreter {
    file: PathBuf,
    modified: Option<SystemTime>,
    born: Instant,
    loaded: OnceCell<Result<Rc<Peer>, Failure>>,
    alive: Rc<Cell<bool>>,
}

impl Interpreter {
    fn new(file: &Path, modified: Option<SystemTime>) -> Self {
        Self {
            file: file.to_path_buf(),
            modified,
            born: Instant::now(),
            loaded: OnceCell::new(),
            alive: Rc::default(),
        }
    }

    /// The function's interpreter for a file: the one there is, where that is
    /// of any use.
    pub fn of(function: &Function, file: &Path, modified: Option<SystemTime>) -> Rc<Self> {
        let mut interpreters = function.interpreters.borrow_mut();
        if let Some(known) = interpreters.get(file)
            && known.modified == modified
            && known.is_of_use()
        {
            return known.clone();
        }
        // One that is replaced ends when its last request does.
        let new = Rc::new(Self::new(file, modified));
        interpreters.insert(file.to_path_buf(), new.clone());
        new
    }

    /// Whether its process runs.
    pub fn is_alive(&self) -> bool {
        self.alive.get()
    }

    fn is_of_use(&self) -> bool {
        match self.loaded.get() {
            None => true,
            Some(Ok(_)) => self.is_alive(),
            Some(Err(_)) => self.born.elapsed() < REST,
        }
    }

    /// Who takes requests, once the file is loaded.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn peer(&self, forker: &Rc<Peer>, function: &Function) -> Result<Rc<Peer>, Failure> {
        let load = || self.load(forker, function);
        self.loaded.get_or_init(load).await.clone()
    }

    async fn load(&self, forker: &Rc<Peer>, function: &Function) -> Result<Rc<Peer>, Failure> {
        let broken = |error: io::Error| Failure::NotStarted(error.to_string());
        let (here, there) = messages::pair().map_err(broken)?;
        let (words, writer) = output::pipe().map_err(broken)?;
        let job = forker.job();
        let start = function.start(job.number, Work::Interpreter(self.file.clone()));
        send(forker, function, start, &there, &writer)
            .await
            .map_err(broken)?;
        drop((there, writer));
        let peer = Peer::new(here).map_err(broken)?;
        let mut said = Output::default();
        let loading = async {
            tokio::select! {
                ready = peer.first() => ready.is_ok(),
                _ = said.words(&words) => false,
            }
        };
        let limit = function.limits.time;
        let Ok(ready) = timeout(limit, loading).await else {
            return Err(Failure::TimedOut(limit));
        };
        if !ready {
            job.kill();
            let _ = timeout(LAST_WORDS, said.words(&words)).await;
            return Err(Failure::Crashed(
                "could not be loaded".to_owned(),
                said.text(),
            ));
        }
        self.alive.set(true);
        let alive = self.alive.clone();
        tokio::task::spawn_local(live(self.file.clone(), peer.clone(), words, job, alive));
        Ok(peer)
    }
}

/// Hears what comes from an interpreter until it ends.
async fn live(file: PathBuf, peer: Rc<Peer>, words: Receiver, mut job: Job, alive: Rc<Cell<bool>>) {
    let mut said = Output::default();
    let has_died = {
        let shouts = async {
            // What is said while all is well is of no use to anybody.
            if said.words(&words).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        let nobody_asks = async {
            while Rc::strong_count(&alive) > 1 {
                tokio::time::sleep(REST).await;
            }
        };
        tokio::select! {
            () = peer.listen() => true,
            _ = job.ending() => true,
            () = shouts => false,
            () = nobody_asks => false,
        }
    };
    alive.set(false);
    peer.forget();
    if has_died {
        let _ = timeout(LAST_WORDS, said.words(&words)).await;
        eprintln!(
            "note: {}: its interpreter has died, and said: {}",
            file.display(),
            said.text().escape_debug()
        );
    }
}

async fn send(
    forker: &Peer,
    function: &Function,
    start: super::order::Start,
    socket: &OwnedFd,
    words: &OwnedFd,
) -> io::Result<()> {
    let mut fds = vec![socket.as_raw_fd(), words.as_raw_fd(), words.as_raw_fd()];
    fds.extend(function.cgroup.as_ref().map(super::cgroups::Leaf::fd));
    forker.send(&Order::Start(start), &fds).await
}
