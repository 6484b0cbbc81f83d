// SPDX-License-Identifier: GPL-2.0-only
//! Keys and changes of size, from the terminal.

use std::sync::mpsc::Sender;
use std::thread;

use anyhow::{Context, Result};
use crossterm::event::{self, KeyEventKind};

use super::live::Event;

/// Pass on what the terminal says from now on.
pub fn forward(events: Sender<Event>) -> Result<()> {
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            loop {
                let event = match event::read() {
                    Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => {
                        Event::Key(key)
                    }
                    Ok(event::Event::Resize(..)) => Event::Redraw,
                    Ok(_) => continue,
                    Err(error) => {
                        let _ = events.send(Event::InputLost(error));
                        break;
                    }
                };
                if events.send(event).is_err() {
                    break;
                }
            }
        })
        .context("cannot start the thread that reads the keys")?;
    Ok(())
}
