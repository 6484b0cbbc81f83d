// SPDX-License-Identifier: GPL-2.0-only
//! One daemon a machine, whatever sockets are named: a second would replace
//! the first one's pinned maps while that is off.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};

const LOCK: &str = "/run/scx_alps/lock";

/// The right to be the machine's daemon; held as long as it lives, and given
/// back by the kernel when the process dies.
pub struct Sole {
    _lock: File,
}

impl Sole {
    pub fn claim() -> Result<Self> {
        Self::claim_at(Path::new(LOCK))
    }

    fn claim_at(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot lock {}", path.display());
        if let Some(directory) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .with_context(cannot)?;
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)
            .with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another scx_alps already runs, with another --socket (it holds {}): stop it first",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/lock");
        let first = Sole::claim_at(&path).unwrap();
        let refused = Sole::claim_at(&path).err().unwrap().to_string();
        assert!(refused.contains("already runs"), "{refused}");
        drop(first);
        assert!(Sole::claim_at(&path).is_ok());
    }
}
