// SPDX-License-Identifier: GPL-2.0-only
//! Which functions there are, as a daemon would know them now, without one.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use nix::unistd::geteuid;
use scx_alps::invocation::FunctionId;

use super::directory::Directory;
use crate::control::Recognised;
use crate::engine::{Assignment, Identification};

/// What a daemon with these options would recognise on this machine.
pub fn recognise(rules: Option<PathBuf>, openlambda: Option<&Path>) -> Result<Vec<Recognised>> {
    // Others cannot read what runtimes keep, and would see fewer functions.
    if !geteuid().is_root() {
        bail!("only root can read what container runtimes keep: use sudo");
    }
    let mut directory = Directory::new(rules, openlambda)?;
    directory.map_all(&mut Nobody)?;
    Ok(directory.recognised())
}

/// In the place of the kernel side: nobody is told anything.
struct Nobody;

impl Identification for Nobody {
    fn map_cgroup(&mut self, _: u64, _: Option<FunctionId>) -> Result<()> {
        Ok(())
    }

    fn unmap_cgroup(&mut self, _: u64) {}

    fn assign_process(&mut self, _: u32, _: Assignment) -> Result<()> {
        Ok(())
    }

    fn void_assignments(&mut self) {}

    fn reidentify(&mut self) {}

    fn notice_execs(&mut self, _: bool) {}
}
