// SPDX-License-Identifier: GPL-2.0-only
//! Questions to the daemon, on a thread of their own: an answer may take as
//! long as switching schedulers on a busy machine does.

use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::{Context, Result, bail};

use super::live::Event;
use super::snapshot::{Snapshot, clean_status};
use super::text;
use crate::control::{Command, Reply, Status, ask};

const MAX_ERROR_CHARS: usize = 512;

/// What the daemon is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its state and its functions.
    Snapshot,
    /// Its state alone.
    Status,
    /// To schedule, or to leave that to the kernel.
    Switch { on: bool },
}

/// What it says to that, or why it does not.
#[derive(Debug)]
pub enum Answer {
    Snapshot(Result<Snapshot, String>),
    Status(Result<Status, String>),
    Switched(Result<Status, String>),
}

/// Answer the questions put to the sender that is returned, as `events`.
pub fn start(socket: &Path, events: Sender<Event>) -> Result<Sender<Question>> {
    let (questions, asked) = mpsc::channel();
    let socket = socket.to_owned();
    thread::Builder::new()
        .name("asker".to_owned())
        .spawn(move || {
            for question in asked {
                if events
                    .send(Event::Answer(Box::new(answer(&socket, question))))
                    .is_err()
                {
                    break;
                }
            }
        })
        .context("cannot start the thread that asks the daemon")?;
    Ok(questions)
}

/// Ask for the daemon's state and its functions.
pub fn snapshot(socket: &Path) -> Result<Snapshot> {
    let status = status(socket, Command::Status)?;
    match ask(socket, Command::Functions)? {
        Reply::Functions { rows } => Ok(Snapshot::new(status, rows)),
        _ => bail!("the daemon gave an answer to another question"),
    }
}

fn status(socket: &Path, command: Command) -> Result<Status> {
    match ask(socket, command)? {
        Reply::Status(status) => Ok(clean_status(status)),
        _ => bail!("the daemon gave an answer to another question"),
    }
}

fn answer(socket: &Path, question: Question) -> Answer {
    match question {
        Question::Snapshot => Answer::Snapshot(snapshot(socket).map_err(why)),
        Question::Status => Answer::Status(status(socket, Command::Status).map_err(why)),
        // Not `Toggle`: the user agreed to one of the two, and somebody else
        // may have switched since.
        Question::Switch { on: true } => Answer::Switched(status(socket, Command::On).map_err(why)),
        Question::Switch { on: false } => {
            Answer::Switched(status(socket, Command::Off).map_err(why))
        }
    }
}

/// An error in a line.
fn why(error: anyhow::Error) -> String {
    text::clean(&format!("{error:#}"), MAX_ERROR_CHARS)
}
