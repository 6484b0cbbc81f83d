// SPDX-License-Identifier: GPL-2.0-only
//! Signals become letters: TERM and INT stop, HUP reloads the rules, USR1 toggles.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use super::mailbox::{Letter, Sender};

/// Pass signals on from now on; `stop` is set for threads that only watch.
pub fn forward(mailbox: &Sender, stop: &Arc<AtomicBool>) -> Result<()> {
    let (to, stopping) = (mailbox.clone(), Arc::clone(stop));
    ctrlc::set_handler(move || {
        stopping.store(true, Ordering::Relaxed);
        let _ = to.send(Letter::Stop);
    })
    .context("cannot handle SIGINT")?;

    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGUSR1]).context("cannot handle signals")?;
    let (to, stopping) = (mailbox.clone(), Arc::clone(stop));
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                let letter = match signal {
                    SIGHUP => Letter::ReloadRules,
                    SIGUSR1 => Letter::Toggle,
                    _ => {
                        stopping.store(true, Ordering::Relaxed);
                        Letter::Stop
                    }
                };
                if to.send(letter).is_err() {
                    break;
                }
            }
        })
        .context("cannot start the signal thread")?;
    Ok(())
}
