// SPDX-License-Identifier: GPL-2.0-only
//! A daemon of a scenario's own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::control::{self, Object};
use crate::report::DIRECTORY;
use crate::{sched_ext, wait};

/// The program under test, as `vm/run` installs it.
pub const PROGRAM: &str = "/bin/scx_alps";

const SOCKET: &str = "/run/scx_alps/control.sock";

/// Emulation, and all that runs beside it, make starting slow.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running daemon; dropping it stops it.
pub struct Daemon {
    process: std::process::Child,
    log: PathBuf,
}

impl Daemon {
    /// Start a daemon and wait until it answers, and until it schedules
    /// unless `--off` says otherwise.
    pub fn start(options: &[&str]) -> Result<Self> {
        let mut daemon = Self::spawn(options)?;
        let begin = Instant::now();
        loop {
            if let Some(status) = daemon.process.try_wait()? {
                bail!("expected the daemon to start with {options:?}, and it ended: {status}");
            }
            if Path::new(SOCKET).exists()
                && let Ok(status) = daemon.status()
            {
                let wanted = !options.contains(&"--off");
                if status.flag("enforcing")? != wanted {
                    bail!("expected 'enforcing' to be {wanted} and saw {status:?}");
                }
                return Ok(daemon);
            }
            if begin.elapsed() > START_LIMIT {
                bail!("expected an answer from a daemon with {options:?} within {START_LIMIT:?}");
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn spawn(options: &[&str]) -> Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(1);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = Path::new(DIRECTORY).join(format!("daemon-{number:02}.log"));
        let output = File::create(&log).context("cannot create the daemon's log")?;
        let process = Command::new(PROGRAM)
            .args(options)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        Ok(Self { process, log })
    }

    pub fn pid(&self) -> i32 {
        self.process.id() as i32
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn status(&self) -> Result<Object> {
        control::command(Path::new(SOCKET), "status")
    }

    /// Let it schedule; the status it answers with.
    pub fn on(&self) -> Result<Object> {
        self.switch("on", "enabled")
    }

    /// Let the kernel's own scheduler schedule.
    pub fn off(&self) -> Result<Object> {
        self.switch("off", "disabled")
    }

    fn switch(&self, command: &str, state: &str) -> Result<Object> {
        let status = control::command(Path::new(SOCKET), command)?;
        if status.flag("enforcing")? != (state == "enabled") {
            bail!("expected '{command}' to be obeyed and saw {status:?}");
        }
        let seen = sched_ext::state();
        if sched_ext::is_there() && seen != state {
            bail!("expected sched_ext to be {state} after '{command}' and saw {seen}");
        }
        Ok(status)
    }

    /// The rows of all functions.
    pub fn functions(&self) -> Result<Vec<Object>> {
        control::rows(Path::new(SOCKET), "functions")
    }

    /// What each function was recognised by.
    pub fn recognised(&self) -> Result<Vec<Object>> {
        control::rows(Path::new(SOCKET), "recognised")
    }

    /// The row of the function `name`.
    pub fn function(&self, name: &str) -> Result<Object> {
        let rows = self.functions()?;
        rows.iter()
            .find(|row| row.text("name").is_ok_and(|seen| seen == name))
            .cloned()
            .with_context(|| {
                let names: Vec<_> = rows
                    .iter()
                    .filter_map(|row| row.text("name").ok())
                    .collect();
                format!("expected a function '{name}' and saw {names:?}")
            })
    }

    /// Wait until a round of learning has begun and ended.
    pub fn await_round(&self) -> Result<()> {
        let before = self.status()?.count("policy_version")?;
        wait::until(
            "two more rounds of learning",
            Duration::from_secs(30),
            || Ok(self.status()?.count("policy_version")? >= before + 2),
        )
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: the process is our own child and not reaped, so the id is still its.
        unsafe { libc::kill(self.pid(), signal) };
    }

    /// Wait until its log holds `text`.
    pub fn await_log(&self, text: &str) -> Result<()> {
        wait::until(&format!("'{text}' in the log"), STOP_LIMIT, || {
            Ok(self.log().contains(text))
        })
    }

    /// Ask it to stop, which it must do well, leaving nothing behind.
    pub fn stop(mut self) -> Result<()> {
        self.signal(libc::SIGTERM);
        let status = self.await_end()?;
        if !status.success() {
            bail!("expected the daemon to stop with exit status 0 and saw {status}");
        }
        self.expect_gone()
    }

    /// End it as a crash would.
    pub fn kill(mut self) -> Result<()> {
        self.signal(libc::SIGKILL);
        self.await_end().map(drop)
    }

    /// Wait for it to end by itself.
    pub fn await_end(&mut self) -> Result<ExitStatus> {
        let mut ended = None;
        wait::until("the daemon to end", STOP_LIMIT, || {
            ended = self.process.try_wait()?;
            Ok(ended.is_some())
        })?;
        ended.context("the daemon has no exit status")
    }

    fn expect_gone(&self) -> Result<()> {
        let (state, pins) = (sched_ext::state(), sched_ext::pins());
        if state != "disabled" || !pins.is_empty() || Path::new(SOCKET).exists() {
            bail!(
                "expected nothing of a stopped daemon and saw sched_ext {state}, pinned \
                 {pins:?}, {SOCKET} {}",
                if Path::new(SOCKET).exists() {
                    "still there"
                } else {
                    "gone"
                }
            );
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(libc::SIGTERM);
        if self.await_end().is_err() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
