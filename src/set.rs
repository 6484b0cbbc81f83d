// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps set`.

use std::path::Path;

use anyhow::{Result, bail};
use scx_alps::learn::Change;

use crate::control::Command;
use crate::status;

/// Change how the daemon learns, and say what is in force then.
pub fn run(socket: &Path, change: Change) -> Result<()> {
    if change.is_empty() {
        bail!("nothing to set: say what, such as 'scx_alps set --ml gittins --bias-factor 8'");
    }
    let status = status::after(socket, Command::Set(change))?;
    println!("{}", status::learning(&status));
    Ok(())
}
