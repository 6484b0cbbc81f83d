// SPDX-License-Identifier: GPL-2.0-only
//! Signals, which must not leave the terminal as it is while we use it.

use std::sync::mpsc::Sender;
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::live::Event;

/// Pass signals on from now on.
pub fn forward(events: Sender<Event>) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT])
        .context("cannot handle signals")?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut stopping = false;
            for signal in signals.forever() {
                let event = match signal {
                    SIGTSTP => Event::Suspend,
                    SIGCONT => Event::Continued,
                    // The first went unheard: the terminal may block for ever.
                    _ if stopping => {
                        let _ = emulate_default_handler(signal);
                        break;
                    }
                    _ => {
                        stopping = true;
                        Event::Stop
                    }
                };
                if events.send(event).is_err() {
                    break;
                }
            }
        })
        .context("cannot start the signal thread")?;
    Ok(())
}
