// SPDX-License-Identifier: GPL-2.0-only
//! The daemon a measurement starts for itself and switches on and off.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use super::toggle::Toggle;
use crate::control::{self, Command};

/// Loading the programs takes seconds where the machine is emulated.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A daemon of our own; dropping it stops it.
pub struct ChildDaemon {
    child: Child,
    directory: tempfile::TempDir,
    started: Instant,
    /// CPU time that loading has taken; a cost paid once.
    loading: Duration,
}

/// What the daemon itself has cost.
pub struct Cost {
    /// CPU time over time, in percent of one CPU.
    pub cpu_percent: f64,
    pub resident_kib: u64,
}

/// Run a measurement against a daemon of its own, and say what the daemon cost.
pub fn with_daemon(
    arguments: &[String],
    measure: impl FnOnce(&mut dyn Toggle) -> Result<()>,
) -> Result<()> {
    let mut daemon = ChildDaemon::start(arguments)?;
    measure(&mut daemon)?;
    if let Some(cost) = daemon.cost() {
        println!(
            "daemon: {:.2} % of one CPU, {:.1} MiB resident",
            cost.cpu_percent,
            cost.resident_kib as f64 / 1024.0
        );
    }
    Ok(())
}

impl ChildDaemon {
    /// Start a daemon that observes and learns, with the kernel's scheduler in force.
    pub fn start(arguments: &[String]) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
        let mut command = Process::new(program);
        command
            .arg("--off")
            .arg("--socket")
            .arg(directory.path().join("control.sock"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        // SAFETY: prctl is async-signal-safe. However the measurement ends,
        // the machine goes back to the kernel's own scheduler.
        unsafe {
            command.pre_exec(|| set_pdeathsig(Signal::SIGTERM).map_err(Into::into));
        }
        let child = command
            .spawn()
            .context("cannot start the scx_alps daemon")?;
        let mut daemon = Self {
            child,
            directory,
            started: Instant::now(),
            loading: Duration::ZERO,
        };
        daemon.await_ready()?;
        Ok(daemon)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }

    fn await_ready(&mut self) -> Result<()> {
        loop {
            if let Some(status) = self.child.try_wait().context("cannot watch the daemon")? {
                bail!("the scx_alps daemon ended at once ({status}); its message is above");
            }
            if self.socket().exists() && control::ask(&self.socket(), Command::Status).is_ok() {
                self.started = Instant::now();
                self.loading = self.cpu_time().unwrap_or_default();
                return Ok(());
            }
            if self.started.elapsed() > START_TIMEOUT {
                bail!("the scx_alps daemon did not get ready");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the daemon has cost since it was ready; `None` where `/proc` does not say.
    pub fn cost(&self) -> Option<Cost> {
        let used = self.cpu_time()?.saturating_sub(self.loading);
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(Cost {
            cpu_percent: 100.0 * used.as_secs_f64() / self.started.elapsed().as_secs_f64(),
            resident_kib: resident.split_whitespace().next()?.parse().ok()?,
        })
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
            None => ChildDaemon::start(self.arguments)?,
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

impl Toggle for ChildDaemon {
    fn kernel(&mut self) -> Result<()> {
        control::ask(&self.socket(), Command::Off).map(drop)
    }

    fn alps(&mut self) -> Result<()> {
        control::ask(&self.socket(), Command::On).map(drop)
    }

    fn cpu_time(&self) -> Option<Duration> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).ok()?);
        Some(clock_getcpuclockid(pid).ok()?.now().ok()?.into())
    }
}

impl Drop for ChildDaemon {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let begin = Instant::now();
        while begin.elapsed() < STOP_TIMEOUT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
