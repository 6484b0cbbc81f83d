// SPDX-License-Identifier: GPL-2.0-only
//! How other threads reach the daemon's one loop: a channel, and a descriptor
//! that wakes the loop's poll.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc;

use anyhow::{Context, Result, anyhow};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::control::{Command, Reply};
use crate::daemon::stats::Metrics;

/// Something the loop must attend to.
pub enum Letter {
    Control {
        command: Command,
        answer: mpsc::Sender<Reply>,
    },
    Stats {
        answer: mpsc::Sender<Metrics>,
    },
    Toggle,
    ReloadRules,
    Stop,
}

/// The sending half; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    channel: mpsc::Sender<Letter>,
    wake: Arc<EventFd>,
}

impl Sender {
    pub fn send(&self, letter: Letter) -> Result<()> {
        self.channel
            .send(letter)
            .map_err(|_| anyhow!("the daemon is about to exit"))?;
        self.wake.write(1).context("cannot wake the daemon")?;
        Ok(())
    }
}

/// The receiving half.
pub struct Mailbox {
    channel: mpsc::Receiver<Letter>,
    wake: Arc<EventFd>,
}

impl Mailbox {
    pub fn new() -> Result<(Sender, Mailbox)> {
        let (sender, receiver) = mpsc::channel();
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake = Arc::new(
            EventFd::from_value_and_flags(0, flags).context("cannot make an event descriptor")?,
        );
        Ok((
            Sender {
                channel: sender,
                wake: Arc::clone(&wake),
            },
            Mailbox {
                channel: receiver,
                wake,
            },
        ))
    }

    /// The letters that have come; never waits.
    pub fn take(&self) -> Vec<Letter> {
        // Nothing to read is no error: the letters are what counts.
        let _ = self.wake.read();
        self.channel.try_iter().collect()
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
