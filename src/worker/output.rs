// SPDX-License-Identifier: GPL-2.0-only
//! What a process writes, read as it comes and within bounds.

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::net::unix::pipe::Receiver;

/// Read at a time.
const CHUNK_BYTES: usize = 16 << 10;

/// Of what goes to standard error, the last so many bytes are kept,
const WORDS_BYTES: usize = 2 << 10;

/// and so many are tolerated at all.
pub const MAX_WORDS_BYTES: usize = 1 << 20;

/// A pipe: this process's end and the other's.
pub fn pipe() -> io::Result<(Receiver, OwnedFd)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((Receiver::from_owned_fd(reader)?, writer))
}

/// What has come so far of an answer or of last words.
#[derive(Default)]
pub struct Output {
    pub bytes: Vec<u8>,
    read: usize,
}

impl Output {
    /// Reads an answer to its end.
    ///
    /// May be dropped and called again.
    ///
    /// # Errors
    /// When it is longer than `most`.
    pub async fn answer(&mut self, pipe: &Receiver, most: usize) -> Result<(), TooLong> {
        while self.chunk(pipe).await > 0 {
            if self.bytes.len() > most {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// Reads standard error to its end and keeps the last of it.
    ///
    /// # Errors
    /// When it does not seem to end.
    pub async fn words(&mut self, pipe: &Receiver) -> Result<(), TooLong> {
        while self.chunk(pipe).await > 0 {
            if self.bytes.len() > 2 * WORDS_BYTES {
                self.bytes.drain(..self.bytes.len() - WORDS_BYTES);
            }
            if self.read > MAX_WORDS_BYTES {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// As text, at most the last bytes.
    pub fn text(&self) -> String {
        let from = self.bytes.len().saturating_sub(WORDS_BYTES);
        String::from_utf8_lossy(&self.bytes[from..])
            .trim()
            .to_owned()
    }

    /// Reads some more; 0 at the end, and where nothing can be read.
    async fn chunk(&mut self, pipe: &Receiver) -> usize {
        loop {
            if pipe.readable().await.is_err() {
                return 0;
            }
            let length = self.bytes.len();
            self.bytes.resize(length + CHUNK_BYTES, 0);
            let read = pipe.try_read(&mut self.bytes[length..]);
            self.bytes.truncate(length + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(read) => {
                    self.read += read;
                    return read;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return 0,
            }
        }
    }
}

/// Longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;
