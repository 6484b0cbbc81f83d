// SPDX-License-Identifier: GPL-2.0-only
//! Signals become letters: TERM and INT stop, HUP reloads the rules, USR1 toggles.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
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
    // Where any crate of the build turns on its feature "termination", and
    // scx_rlalps has to, ctrlc has taken these as well, and HUP would stop.
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs no code of ours.
        unsafe { sigaction(signal, &default) }
            .with_context(|| format!("cannot handle {signal}"))?;
    }

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
