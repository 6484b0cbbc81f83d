// SPDX-License-Identifier: GPL-2.0-only
//! The listening side: a thread that hands every request to the daemon's mailbox.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use log::{debug, warn};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::{Command, Reply};
use crate::daemon::mailbox::{Letter, Sender};

const MAX_REQUEST_BYTES: u64 = 4096;
const READ_TIMEOUT: Duration = Duration::from_secs(2);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A listening control socket; dropping it removes the socket.
pub struct Server {
    path: PathBuf,
}

impl Server {
    /// Listen at `path`, for root only. A socket somebody answers is another daemon's.
    pub fn start(path: &Path, mailbox: Sender) -> Result<Self> {
        if UnixStream::connect(path).is_ok() {
            bail!(
                "another scx_alps already runs (it answers at {}): stop it first",
                path.display()
            );
        }
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        // A socket nobody answers is left from a daemon that was killed.
        match fs::symlink_metadata(path) {
            Ok(file) if file.file_type().is_socket() => {
                let _ = fs::remove_file(path);
            }
            Ok(_) => bail!(
                "{} exists and is no socket: name another with --socket",
                path.display()
            ),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .with_context(|| format!("cannot protect {}", path.display()))?;

        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    match stream {
                        Ok(stream) => serve(stream, &mailbox),
                        Err(error) => warn!("control socket: {error}"),
                    }
                }
            })
            .context("cannot start the control thread")?;
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn serve(stream: UnixStream, mailbox: &Sender) {
    if let Err(error) = answer(stream, mailbox) {
        debug!("control socket: {error:#}");
    }
}

fn answer(mut stream: UnixStream, mailbox: &Sender) -> Result<()> {
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    stream.set_write_timeout(Some(READ_TIMEOUT))?;
    let reply = match request(&stream) {
        Ok(command) => {
            let (answer, answered) = mpsc::channel();
            mailbox.send(Letter::Control { command, answer })?;
            answered
                .recv_timeout(ANSWER_TIMEOUT)
                .unwrap_or_else(|_| Reply::Refused {
                    why: "the daemon is busy or about to exit".to_owned(),
                })
        }
        Err(error) => Reply::Refused {
            why: format!("{error:#}"),
        },
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    Ok(())
}

fn request(stream: &UnixStream) -> Result<Command> {
    let peer = getsockopt(stream, PeerCredentials).context("cannot tell who asks")?;
    if peer.uid() != 0 {
        bail!("only root may control scx_alps");
    }
    let mut line = String::new();
    BufReader::new(stream.take(MAX_REQUEST_BYTES))
        .read_line(&mut line)
        .context("cannot read the request")?;
    serde_json::from_str(&line).context(
        "the request is none of on, off, toggle, status, functions, recognised, set, explain, \
         policy, or not what this version makes of it",
    )
}
