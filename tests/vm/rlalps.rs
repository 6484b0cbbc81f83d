// SPDX-License-Identifier: GPL-2.0-only
//! A scheduler in user space of a scenario's own.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::report::DIRECTORY;
use crate::{proc, sched_ext, wait};

/// The program under test, as `vm/run` installs it.
pub const PROGRAM: &str = "/bin/scx_rlalps";

/// Emulation, and all that runs beside it, make starting slow.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running `scx_rlalps`; dropping it kills it.
pub struct RlAlps {
    process: Child,
}

impl RlAlps {
    /// Starts it and waits until it schedules.
    pub fn start(options: &[&str]) -> Result<Self> {
        let log = Path::new(DIRECTORY).join("rlalps.log");
        let output = File::create(&log).context("cannot create the log")?;
        let process = Command::new(PROGRAM)
            .args(options)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        let mut rlalps = Self { process };
        wait::until("scx_rlalps to schedule", START_LIMIT, || {
            if let Some(status) = rlalps.process.try_wait()? {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("expected it to start with {options:?}, and it ended: {status}: {said}");
            }
            // Its loop runs once its memory is locked.
            let said = fs::read_to_string(&log).unwrap_or_default();
            Ok(sched_ext::state() == "enabled" && said.contains("on Linux"))
        })?;
        Ok(rlalps)
    }

    /// What a second one says of being refused.
    pub fn refused(options: &[&str]) -> Result<String> {
        let Output { status, stderr, .. } = Command::new(PROGRAM)
            .args(options)
            .stdin(Stdio::null())
            .output()?;
        ensure!(!status.success(), "expected {options:?} to be refused");
        Ok(String::from_utf8_lossy(&stderr).into_owned())
    }

    pub fn pid(&self) -> i32 {
        self.process.id() as i32
    }

    /// Page faults of its threads so far.
    pub fn page_faults(&self) -> Result<u64> {
        proc::page_faults(self.pid())
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Asks it to stop, which it must do well.
    pub fn stop(mut self) -> Result<()> {
        // SAFETY: the process is our own child and not reaped, so the id is still its.
        unsafe { libc::kill(self.pid(), libc::SIGTERM) };
        let mut ended = None;
        wait::until("scx_rlalps to end", STOP_LIMIT, || {
            ended = self.process.try_wait()?;
            Ok(ended.is_some())
        })?;
        ensure!(
            ended.is_some_and(|status| status.success()) && sched_ext::state() == "disabled",
            "expected it to stop with exit status 0 and saw {ended:?}, sched_ext {}",
            sched_ext::state()
        );
        Ok(())
    }
}

impl Drop for RlAlps {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
