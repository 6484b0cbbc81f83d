// SPDX-License-Identifier: GPL-2.0-only
//! Ctrl-C that leaves time to tidy up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::{flag, low_level};

/// While it lives, the signals that would end the process raise a flag instead.
pub struct Interrupt {
    raised: Arc<AtomicBool>,
    ids: Vec<SigId>,
}

impl Interrupt {
    pub fn catch() -> Result<Self> {
        let mut interrupt = Self {
            raised: Arc::default(),
            ids: Vec::new(),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
            let id = flag::register(signal, Arc::clone(&interrupt.raised))
                .context("cannot handle signals")?;
            interrupt.ids.push(id);
        }
        Ok(interrupt)
    }

    pub fn raised(&self) -> &AtomicBool {
        &self.raised
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            low_level::unregister(id);
        }
    }
}
