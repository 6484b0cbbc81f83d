// SPDX-License-Identifier: GPL-2.0-only
//! The asking side.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Command, Reply};

/// Long enough for the kernel to switch schedulers on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Ask the daemon behind `socket`; a refusal is an error.
pub fn ask(socket: &Path, command: Command) -> Result<Reply> {
    let mut stream = UnixStream::connect(socket).map_err(|error| {
        let path = socket.display();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow::anyhow!(
                "no scx_alps daemon listens at {path}: start one with 'scx_alps', or name its \
                 socket with --socket"
            ),
            ErrorKind::PermissionDenied => {
                anyhow::anyhow!("only root may control scx_alps at {path}: use sudo")
            }
            _ => anyhow::anyhow!("cannot reach scx_alps at {path}: {error}"),
        }
    })?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut request = serde_json::to_vec(&command)?;
    request.push(b'\n');
    stream
        .write_all(&request)
        .context("the daemon hung up before it heard the request")?;

    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .context("the daemon did not answer")?;
    match serde_json::from_str(&line).context("the daemon's answer makes no sense")? {
        Reply::Refused { why } => bail!("{why}"),
        reply => Ok(reply),
    }
}
