// SPDX-License-Identifier: GPL-2.0-only
//! Beginning again as the same process.
//!
//! scx_rustland_core forbids its thread, and all threads that come from it, to
//! map memory, for good: it cannot be loaded twice, not even by a program that
//! this thread executes. A thread that was there before can.

use std::io::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};

/// A thread that waits to execute this program anew.
pub struct Successor {
    go: Sender<()>,
    thread: JoinHandle<Option<Error>>,
}

impl Successor {
    /// To be called before anything is forbidden.
    pub fn prepare() -> Result<Self> {
        let mut arguments = std::env::args_os();
        let mut command = Command::new("/proc/self/exe");
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command.args(arguments);
        let (go, gone) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("successor".to_owned())
            .spawn(move || gone.recv().ok().map(|()| command.exec()))
            .context("cannot start a thread")?;
        Ok(Self { go, thread })
    }

    /// Begins again; returns only where that is impossible.
    pub fn take_over(self) -> Result<()> {
        let _ = self.go.send(());
        match self.thread.join() {
            Ok(Some(error)) => Err(error).context("cannot begin again"),
            _ => Err(anyhow!("cannot begin again: the thread for it has ended")),
        }
    }
}
