// SPDX-License-Identifier: GPL-2.0-only
//! Reading what a runtime keeps.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use log::debug;
use scx_alps::platform::bolt::Pages;
use scx_alps::platform::record::{self, MAX_RECORD_BYTES};
use serde::de::DeserializeOwned;

/// A record; `None` where there is none that makes sense. It may be about to be
/// written, or of a version to come: no reason to bother anybody.
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut bytes = Vec::new();
    open(path)?
        .take(MAX_RECORD_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    record::parse(&bytes)
        .inspect_err(|error| debug!("{}: {error}", path.display()))
        .ok()
}

/// A regular file itself, not where a link leads.
pub fn open(path: &Path) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(path)
        .ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

/// A database's file.
pub struct Database(File);

impl Database {
    pub fn open(path: &Path) -> Option<Self> {
        open(path).map(Self)
    }
}

impl Pages for Database {
    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    }
}
