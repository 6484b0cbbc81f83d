// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps top`: the functions in a live table, or once as plain text.
//!
//! [`view`] is what is shown and [`keys`] what changes it, both free of I/O;
//! [`draw`] puts it on a screen. [`live`] ties them to the terminal, the
//! signals and the daemon, and [`once`] prints the same table as text.

mod asker;
mod column;
mod draw;
mod footer;
pub mod format;
mod header;
mod help;
mod input;
mod keys;
mod layout;
mod link;
mod live;
mod once;
mod order;
mod screen;
mod signals;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;
pub mod text;
mod view;

use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

/// Show what the daemon behind `socket` does, afresh every `interval`; with
/// `once` print it to standard output and be done.
pub fn run(socket: &Path, interval: Duration, once: bool) -> Result<()> {
    if once {
        return once::print(socket);
    }
    if !stdout().is_terminal() {
        bail!("standard output is not a terminal: use --once to print the table as text");
    }
    live::run(socket, interval)
}
