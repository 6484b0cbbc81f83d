// SPDX-License-Identifier: GPL-2.0-only
//! A process that schedules: started, watched and stopped, with what it says
//! kept for when it fails.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::clock;

/// How long each way of asking it to stop is given.
const STOP: [(Signal, Duration); 3] = [
    (Signal::SIGTERM, Duration::from_secs(20)),
    (Signal::SIGINT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

const PAUSE: Duration = Duration::from_millis(20);

/// Of what a failed process has said, so much is shown.
const LAST_WORDS: usize = 2000;

/// A running process; dropping it stops it.
pub struct Service {
    name: String,
    child: Child,
    log: File,
    ended: Option<ExitStatus>,
}

impl Service {
    /// Starts `command` in a process group of its own, so that Ctrl-C reaches
    /// only us; it is stopped however we end.
    pub fn start(name: impl Into<String>, mut command: Command) -> Result<Self> {
        let name = name.into();
        let log = tempfile::tempfile().context("cannot make a temporary file")?;
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?);
        // SAFETY: prctl is async-signal-safe. However the measurement ends,
        // the machine goes back to the kernel's own scheduler.
        unsafe {
            command.pre_exec(|| set_pdeathsig(Signal::SIGTERM).map_err(Into::into));
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name,
            child,
            log,
            ended: None,
        })
    }

    /// Waits until `ready` holds.
    ///
    /// # Errors
    /// When the process ends before, when it takes longer than `limit`, and
    /// when `interrupted` became true.
    pub fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        interrupted: &AtomicBool,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let begin = Instant::now();
        loop {
            if let Some(end) = self.end() {
                bail!("{end}{}", self.last_words());
            }
            if ready() {
                return Ok(());
            }
            if interrupted.load(Relaxed) {
                bail!("interrupted");
            }
            if begin.elapsed() > limit {
                bail!(
                    "{} was not {what} within {:.0} s{}",
                    self.name,
                    limit.as_secs_f64(),
                    self.last_words()
                );
            }
            thread::sleep(PAUSE);
        }
    }

    /// How it ended, if it has.
    pub fn end(&mut self) -> Option<String> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        let status = self.ended?;
        Some(format!("{} has ended ({status})", self.name))
    }

    /// CPU time it has used so far, all its threads together; `None` once it
    /// has ended.
    pub fn cpu_ns(&self) -> Option<u64> {
        let mut id: libc::clockid_t = 0;
        // SAFETY: `id` is valid for writing.
        match unsafe { libc::clock_getcpuclockid(self.child.id() as i32, &mut id) } {
            0 => Some(clock::now_ns(id)),
            _ => None,
        }
    }

    /// Resident memory, where `/proc` says.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let mut lines = status.lines();
        let resident = lines.find_map(|line| line.strip_prefix("VmRSS:"))?;
        resident.split_whitespace().next()?.parse().ok()
    }

    fn last_words(&self) -> String {
        // Without moving the offset, at which the process writes on.
        let length = self.log.metadata().map_or(0, |file| file.len());
        let mut text = vec![0; LAST_WORDS];
        let read = self
            .log
            .read_at(&mut text, length.saturating_sub(LAST_WORDS as u64));
        text.truncate(read.unwrap_or(0));
        match String::from_utf8_lossy(&text).trim() {
            "" => String::new(),
            said => format!(", saying:\n{said}"),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for (signal, patience) in STOP {
            if self.end().is_some() {
                return;
            }
            let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
            let begin = Instant::now();
            while self.end().is_none() && begin.elapsed() < patience {
                thread::sleep(PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn shell(script: &str) -> Service {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Service::start("the script", command).unwrap()
    }

    #[test]
    fn an_end_before_it_is_ready_is_told_with_its_words() {
        let mut service = shell("echo no such luck >&2; exit 3");
        let error = service
            .wait_until("ready", Duration::from_secs(60), &NEVER, || false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the script has ended (exit status: 3)")
                && error.ends_with("no such luck"),
            "{error}"
        );
    }

    #[test]
    fn patience_and_interruption_end_the_wait() {
        let mut service = shell("exec sleep 600");
        let error = service
            .wait_until("ready", Duration::ZERO, &NEVER, || false)
            .unwrap_err();
        assert!(error.to_string().contains("was not ready"), "{error}");
        assert!(
            service
                .wait_until("", Duration::MAX, &AtomicBool::new(true), || false)
                .is_err()
        );
        assert!(service.cpu_ns().is_some());
    }

    #[test]
    fn dropping_it_stops_it() {
        let service = shell("exec sleep 600");
        let pid = service.child.id();
        drop(service);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
