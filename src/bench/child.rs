// SPDX-License-Identifier: GPL-2.0-only
//! The daemon a measurement starts for itself and switches on and off.

use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};

use super::service::Service;
use super::toggle::Toggle;
use crate::control::{self, Command};

/// Loading the programs takes seconds where the machine is emulated.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// A daemon of our own; dropping it stops it.
pub struct ChildDaemon {
    service: Service,
    directory: tempfile::TempDir,
}

impl ChildDaemon {
    /// Start a daemon that observes and learns, with the kernel's scheduler in force.
    ///
    /// # Errors
    /// When it does not get ready, with what it said; and when `interrupted`
    /// became true.
    pub fn start<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
        interrupted: &AtomicBool,
    ) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
        let mut command = Process::new(program);
        command
            .arg("--off")
            .arg("--socket")
            .arg(directory.path().join("control.sock"))
            .args(arguments);
        let mut daemon = Self {
            service: Service::start("the scx_alps daemon", command)?,
            directory,
        };
        let socket = daemon.socket();
        daemon
            .service
            .wait_until("ready", START_TIMEOUT, interrupted, || {
                socket.exists() && control::ask(&socket, Command::Status).is_ok()
            })?;
        Ok(daemon)
    }

    /// The process itself.
    pub fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }
}

impl Toggle for ChildDaemon {
    fn kernel(&mut self) -> Result<()> {
        control::ask(&self.socket(), Command::Off).map(drop)
    }

    fn alps(&mut self) -> Result<()> {
        control::ask(&self.socket(), Command::On).map(drop)
    }
}

/// A daemon that runs only while ALPS schedules, so that the kernel's own
/// scheduler is measured without anybody watching.
struct OnDemand<'a> {
    arguments: &'a [String],
    daemon: Option<ChildDaemon>,
}

impl Toggle for OnDemand<'_> {
    fn kernel(&mut self) -> Result<()> {
        self.daemon = None;
        Ok(())
    }

    fn alps(&mut self) -> Result<()> {
        let daemon = match self.daemon.take() {
            Some(daemon) => daemon,
            None => {
                let arguments = self.arguments.iter().map(String::as_str);
                ChildDaemon::start(arguments, &AtomicBool::new(false))?
            }
        };
        self.daemon.insert(daemon).alps()
    }
}

/// Run a measurement that starts a daemon only when it turns to ALPS.
pub fn with_daemon_on_demand(
    arguments: &[String],
    measure: impl FnOnce(&mut dyn Toggle) -> Result<()>,
) -> Result<()> {
    measure(&mut OnDemand {
        arguments,
        daemon: None,
    })
}
