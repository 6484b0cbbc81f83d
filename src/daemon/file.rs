// SPDX-License-Identifier: GPL-2.0-only
//! Files that are named on the command line.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Open a regular file; `None` where there is none. Nothing else is waited
/// for, or read without end: no FIFO, no device.
pub fn open_regular(path: &Path) -> Result<Option<File>> {
    let cannot = || format!("cannot read {}", path.display());
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(cannot),
    };
    if !file.metadata().with_context(cannot)?.is_file() {
        bail!("{} is not a regular file: name another", path.display());
    }
    Ok(Some(file))
}

/// The text of a regular file of at most `most` bytes; `None` where there is none.
pub fn read_text(path: &Path, most: u64) -> Result<Option<String>> {
    let Some(file) = open_regular(path)? else {
        return Ok(None);
    };
    let mut text = String::new();
    file.take(most + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if text.len() as u64 > most {
        bail!(
            "{} is larger than {most} bytes: name another, or make it smaller",
            path.display()
        );
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        for path in [&*fifo, directory.path(), Path::new("/dev/zero")] {
            let error = read_text(path, 10).unwrap_err().to_string();
            assert!(error.contains("not a regular file"), "{error}");
        }
        let absent = directory.path().join("absent");
        assert!(read_text(&absent, 10).unwrap().is_none());
    }

    #[test]
    fn what_is_read_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_text(&path, 10).unwrap().unwrap(), "0123456789");
        assert!(read_text(&path, 9).is_err());
    }
}
