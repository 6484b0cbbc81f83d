// SPDX-License-Identifier: GPL-2.0-only
//! The live table: the terminal, the daemon and the signals brought together.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crossterm::event::KeyEvent;

use super::asker::{self, Answer, Question};
use super::keys::{self, Request};
use super::screen::Screen;
use super::view::View;
use super::{input, signals};

/// How often the screen is drawn with nothing new: times on it go on.
const TICK: Duration = Duration::from_secs(1);

/// What can happen.
#[derive(Debug)]
pub enum Event {
    Key(KeyEvent),
    Redraw,
    Answer(Box<Answer>),
    Stop,
    Suspend,
    Continued,
    InputLost(io::Error),
}

/// Show the table until the user has seen enough.
pub fn run(socket: &Path, interval: Duration) -> Result<()> {
    // A wrong socket is better told of on a screen that stays.
    let first = asker::snapshot(socket)?;
    let (sender, events) = mpsc::channel();
    let questions = asker::start(socket, sender.clone())?;
    signals::forward(sender.clone())?;
    let screen = Screen::open()?;
    input::forward(sender)?;
    let live = Live {
        view: View::new(first, interval, Instant::now()),
        screen,
        questions,
    };
    match live.run(&events) {
        // To close the terminal is a way to quit.
        Err(_) if Screen::hung_up() => Ok(()),
        ended => ended,
    }
}

struct Live {
    view: View,
    screen: Screen,
    questions: Sender<Question>,
}

impl Live {
    fn run(mut self, events: &Receiver<Event>) -> Result<()> {
        loop {
            if let Some(question) = self.view.question(Instant::now()) {
                self.ask(question)?;
            }
            self.screen.draw(&mut self.view)?;
            let wait = self.view.link.wait(Instant::now()).unwrap_or(TICK);
            let first = match events.recv_timeout(wait.min(TICK)) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => bail!("all threads have ended"),
            };
            for event in first.into_iter().chain(events.try_iter()) {
                if self.handle(event)?.is_break() {
                    return Ok(());
                }
            }
        }
    }

    fn handle(&mut self, event: Event) -> Result<ControlFlow<()>> {
        let now = Instant::now();
        match event {
            Event::Key(key) => match keys::press(&mut self.view, key, now) {
                Some(Request::Quit) => return Ok(ControlFlow::Break(())),
                Some(Request::Suspend) => self.screen.suspend()?,
                Some(Request::Switch { on }) => self.ask(Question::Switch { on })?,
                None => {}
            },
            Event::Redraw => {}
            Event::Answer(answer) => self.view.hear(*answer, now),
            Event::Stop => return Ok(ControlFlow::Break(())),
            Event::Suspend => self.screen.suspend()?,
            Event::Continued => self.screen.take_again()?,
            Event::InputLost(error) => {
                return Err(error).context("cannot read from the terminal");
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn ask(&self, question: Question) -> Result<()> {
        self.questions
            .send(question)
            .context("the thread that asks the daemon has ended")
    }
}
