// SPDX-License-Identifier: GPL-2.0-only
//! The worker's end of a socket to a process that starts others for it: the
//! forker, or a Python interpreter.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use super::messages;
use super::order::{Ending, Order};

pub struct Peer {
    socket: AsyncFd<OwnedFd>,
    jobs: RefCell<HashMap<u64, oneshot::Sender<Ending>>>,
    next: Cell<u64>,
}

/// A process under way; it is killed when this is dropped before its end.
pub struct Job {
    pub number: u64,
    ending: oneshot::Receiver<Ending>,
    peer: Rc<Peer>,
    ended: bool,
}

impl Peer {
    pub fn new(socket: OwnedFd) -> io::Result<Rc<Self>> {
        fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        // SAFETY: an OwnedFd stays open, and the same, until it is dropped.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Rc::new(Self {
            socket,
            jobs: RefCell::default(),
            next: Cell::new(0),
        }))
    }

    /// A new job, of which nothing is sent yet.
    pub fn job(self: &Rc<Self>) -> Job {
        let number = self.next.get();
        self.next.set(number + 1);
        let (sender, ending) = oneshot::channel();
        self.jobs.borrow_mut().insert(number, sender);
        Job {
            number,
            ending,
            peer: self.clone(),
            ended: false,
        }
    }

    /// Sends an order, and waits for as long as the peer is slow.
    pub async fn send(&self, order: &Order, fds: &[RawFd]) -> io::Result<()> {
        let bytes = serde_json::to_vec(order)?;
        if bytes.len() > messages::MAX_BYTES {
            return Err(io::Error::other("the order is too long"));
        }
        let send = |socket: &OwnedFd| messages::send(socket, &bytes, fds);
        self.socket.async_io(Interest::WRITABLE, send).await
    }

    /// What comes first.
    pub async fn first(&self) -> io::Result<()> {
        match self.receive().await? {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Tells jobs of their ends, until the peer is gone. What makes no sense
    /// is passed over, for an interpreter is not to be trusted.
    pub async fn listen(&self) {
        while let Ok(Some(bytes)) = self.receive().await {
            let Ok(ending) = serde_json::from_slice::<Ending>(&bytes) else {
                continue;
            };
            if let Some(job) = self.jobs.borrow_mut().remove(&ending.job) {
                // Whoever asked for it may be gone.
                let _ = job.send(ending);
            }
        }
        self.forget();
    }

    /// All its jobs have ended, nobody knows how.
    pub fn forget(&self) {
        self.jobs.borrow_mut().clear();
    }

    async fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let receive = |socket: &OwnedFd| messages::receive(socket);
        let message = self.socket.async_io(Interest::READABLE, receive).await?;
        Ok(message.map(|message| message.bytes))
    }
}

impl Job {
    /// Its end; `None` when the peer has gone, and when it was told before.
    ///
    /// May be dropped and called again.
    pub async fn ending(&mut self) -> Option<Ending> {
        if self.ended {
            return None;
        }
        let ending = (&mut self.ending).await.ok();
        self.ended = true;
        ending
    }

    /// Kills it; its end is told as ever.
    pub fn kill(&self) {
        let (peer, job) = (self.peer.clone(), self.number);
        tokio::task::spawn_local(async move {
            // A peer that has gone has taken its jobs along.
            let _ = peer.send(&Order::Kill { job }, &[]).await;
        });
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            // It may never have been sent.
            self.peer.jobs.borrow_mut().remove(&self.number);
        }
    }
}
