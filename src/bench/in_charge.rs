// SPDX-License-Identifier: GPL-2.0-only
//! Puts a scheduler in charge of the machine for a round.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::child::ChildDaemon;
use super::command_line::CommandLine;
use super::sched_ext::{self, Reign};
use super::service::Service;
use super::toggle::Toggle;

/// Until another scheduler is in force: loading programs takes long where the
/// machine is emulated.
const START_LIMIT: Duration = Duration::from_secs(120);

/// Until the kernel's own scheduler is back.
const END_LIMIT: Duration = Duration::from_secs(30);

/// How to bring a scheduler into force.
#[derive(Clone, Debug)]
pub enum Start<'a> {
    /// The kernel's own is, where no other is loaded.
    Kernel,
    /// This program's daemon, with these options.
    Alps(Vec<&'a str>),
    /// Another, by its command line.
    Other(&'a CommandLine),
}

/// A scheduler in force; dropping it brings the kernel's own back.
pub struct InCharge {
    who: Who,
    reign: Option<Reign>,
    cpu_ns: u64,
    since: Instant,
}

enum Who {
    Kernel,
    Alps(ChildDaemon),
    Other(Service),
}

/// What a scheduler's own process has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time over time; 1 is one CPU.
    pub cpu_share: f64,
    pub resident_kib: u64,
}

impl Cost {
    /// The higher of two in each part, where there are two.
    pub fn higher(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Self {
                cpu_share: one.cpu_share.max(other.cpu_share),
                resident_kib: one.resident_kib.max(other.resident_kib),
            }),
            (one, other) => one.or(other),
        }
    }
}

impl InCharge {
    /// Starts the scheduler and waits until it is in force.
    ///
    /// # Errors
    /// When it does not come into force, and when `interrupted` became true.
    pub fn begin(start: &Start, interrupted: &AtomicBool) -> Result<Self> {
        if let Some(reign) = sched_ext::in_force() {
            bail!(
                "the sched_ext scheduler '{}' is loaded: stop it first",
                reign.name
            );
        }
        let who = match start {
            Start::Kernel => Who::Kernel,
            Start::Alps(options) => {
                let mut daemon = ChildDaemon::start(options.iter().copied(), interrupted)?;
                daemon.alps()?;
                Who::Alps(daemon)
            }
            Start::Other(line) => {
                let mut service = Service::start(line.name(), line.command()?)?;
                service.wait_until("in force", START_LIMIT, interrupted, || {
                    sched_ext::in_force().is_some()
                })?;
                Who::Other(service)
            }
        };
        let reign = sched_ext::in_force();
        // Of what is attached to hooks in CFS the kernel says nothing; the daemon does.
        let expected = match who {
            Who::Kernel => false,
            Who::Alps(_) => sched_ext::is_there(),
            Who::Other(_) => true,
        };
        if reign.is_none() && expected {
            bail!("the kernel does not say which scheduler is in force");
        }
        let mut in_charge = Self {
            who,
            reign,
            cpu_ns: 0,
            since: Instant::now(),
        };
        in_charge.count_from_now();
        Ok(in_charge)
    }

    /// Its cost counts from here.
    pub fn count_from_now(&mut self) {
        self.cpu_ns = self.service().and_then(|s| s.cpu_ns()).unwrap_or(0);
        self.since = Instant::now();
    }

    /// What its process has cost; `None` for the kernel's own and for one
    /// that has ended.
    pub fn cost(&mut self) -> Option<Cost> {
        let (from_ns, since) = (self.cpu_ns, self.since);
        let service = self.service()?;
        let cpu_ns = service.cpu_ns()?.saturating_sub(from_ns);
        Some(Cost {
            cpu_share: cpu_ns as f64 / since.elapsed().as_nanos().max(1) as f64,
            resident_kib: service.resident_kib().unwrap_or(0),
        })
    }

    /// Why it cannot be said that it was in force all the time, if so.
    pub fn doubt(&mut self) -> Option<String> {
        if let Some(end) = self.service().and_then(Service::end) {
            return Some(end);
        }
        let now = sched_ext::in_force();
        if now == self.reign {
            return None;
        }
        Some(match (&self.reign, now) {
            (None, Some(now)) => format!("the scheduler '{}' was loaded meanwhile", now.name),
            (Some(was), None) => format!("the kernel has ended the scheduler '{}'", was.name),
            (_, Some(_)) | (None, None) => "the scheduler was loaded anew meanwhile".into(),
        })
    }

    /// Stops it and waits until the kernel's own scheduler is back.
    ///
    /// # Errors
    /// When the kernel's own scheduler does not come back.
    pub fn end(self) -> Result<()> {
        let stopped = !matches!(self.who, Who::Kernel);
        drop(self);
        let begin = Instant::now();
        while stopped && !matches!(sched_ext::state().as_str(), "disabled" | "") {
            if begin.elapsed() > END_LIMIT {
                bail!("the scheduler was stopped, and yet the kernel's own is not back");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn service(&mut self) -> Option<&mut Service> {
        match &mut self.who {
            Who::Kernel => None,
            Who::Alps(daemon) => Some(daemon.service()),
            Who::Other(service) => Some(service),
        }
    }
}

/// A file the daemon wrote as it ended.
///
/// # Errors
/// When there is none.
pub fn expect_saved(state: &Path) -> Result<()> {
    state.metadata().map(drop).with_context(|| {
        format!(
            "the scx_alps daemon has not saved what it learned to {}",
            state.display()
        )
    })
}
