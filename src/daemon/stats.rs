// SPDX-License-Identifier: GPL-2.0-only
//! The figures `--stats` and `--monitor` print, over scx_stats.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use log::warn;
use scx_stats::prelude::*;
use scx_stats_derive::{Stats, stat_doc};
use serde::{Deserialize, Serialize};

use crate::daemon::mailbox::{Letter, Sender};

#[stat_doc]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Stats)]
#[stat(top)]
pub struct Metrics {
    #[stat(desc = "1 while scx_alps schedules, 0 while the kernel's own scheduler does")]
    pub enforcing: u64,
    #[stat(desc = "functions with a slot in the policy table")]
    pub functions: u64,
    #[stat(desc = "version of the policy table in force")]
    pub policy_version: u64,
    #[stat(desc = "CPU utilisation in percent over the last round")]
    pub utilisation: f64,
    #[stat(desc = "invocations that finished")]
    pub invocations: u64,
    #[stat(desc = "invocations that finished but were lost, the ring buffer being full")]
    pub invocations_lost: u64,
    #[stat(desc = "notices of cgroups and execs that were lost")]
    pub notices_lost: u64,
    #[stat(desc = "tasks not tracked for want of memory")]
    pub tasks_untracked: u64,
    #[stat(desc = "wake-ups placed on an idle CPU")]
    pub idle: u64,
    #[stat(desc = "wake-ups that were handed the CPU of the task that woke them")]
    pub handovers: u64,
    #[stat(desc = "tasks put into a queue")]
    pub queued: u64,
    #[stat(desc = "running tasks preempted by a better-ranked one")]
    pub preemptions: u64,
    #[stat(desc = "running tasks that gave way at a tick or at the end of a slice")]
    pub requeued: u64,
    #[stat(desc = "running tasks kept past the end of a slice")]
    pub kept: u64,
    #[stat(desc = "tasks taken from another cache domain's queue")]
    pub stolen: u64,
    #[stat(desc = "tasks preempted in a system call and put in front")]
    pub graced: u64,
    #[stat(desc = "tasks moved past the order because they waited too long")]
    pub rescued: u64,
}

impl Metrics {
    /// What was counted since `earlier`; states are as they are now.
    fn since(&self, earlier: &Self) -> Self {
        let grown = |now: u64, then: u64| now.saturating_sub(then);
        Self {
            invocations: grown(self.invocations, earlier.invocations),
            invocations_lost: grown(self.invocations_lost, earlier.invocations_lost),
            notices_lost: grown(self.notices_lost, earlier.notices_lost),
            tasks_untracked: grown(self.tasks_untracked, earlier.tasks_untracked),
            idle: grown(self.idle, earlier.idle),
            handovers: grown(self.handovers, earlier.handovers),
            queued: grown(self.queued, earlier.queued),
            preemptions: grown(self.preemptions, earlier.preemptions),
            requeued: grown(self.requeued, earlier.requeued),
            kept: grown(self.kept, earlier.kept),
            stolen: grown(self.stolen, earlier.stolen),
            graced: grown(self.graced, earlier.graced),
            rescued: grown(self.rescued, earlier.rescued),
            ..self.clone()
        }
    }

    fn print(&self, out: &mut impl Write) -> Result<()> {
        writeln!(
            out,
            "[scx_alps] {} functions={} table=v{} util={:.0}% | inv={} lost={} | idle={} handed={} \
             queued={} preempted={} requeued={} kept={} stolen={} graced={} rescued={}",
            if self.enforcing == 1 { "on" } else { "off" },
            self.functions,
            self.policy_version,
            self.utilisation,
            self.invocations,
            self.invocations_lost,
            self.idle,
            self.handovers,
            self.queued,
            self.preemptions,
            self.requeued,
            self.kept,
            self.stolen,
            self.graced,
            self.rescued,
        )?;
        Ok(())
    }
}

/// What the statistics server offers, `--help-stats` too.
pub fn server_data() -> StatsServerData<(), Metrics> {
    let open: Box<dyn StatsOpener<(), Metrics>> = Box::new(move |(request, response)| {
        request.send(())?;
        let mut earlier = response.recv()?;
        let read: Box<dyn StatsReader<(), Metrics>> =
            Box::new(move |_args, (request, response)| {
                request.send(())?;
                let now = response.recv()?;
                let grown = now.since(&earlier);
                earlier = now;
                grown.to_json()
            });
        Ok(read)
    });
    StatsServerData::new()
        .add_meta(Metrics::meta())
        .add_ops("top", StatsOps { open, close: None })
}

/// Start the statistics server; a thread passes its requests to the mailbox.
pub fn serve(mailbox: Sender) -> Result<StatsServer<(), Metrics>> {
    let server = StatsServer::new(server_data())
        .launch()
        .context("cannot start the statistics server")?;
    let (response, request) = server.channels();
    thread::Builder::new()
        .name("stats".to_owned())
        .spawn(move || {
            while request.recv().is_ok() {
                let (answer, answered) = mpsc::channel();
                let metrics = mailbox
                    .send(Letter::Stats { answer })
                    .ok()
                    .and_then(|()| answered.recv().ok());
                let Some(metrics) = metrics else { break };
                if response.send(metrics).is_err() {
                    break;
                }
            }
        })
        .context("cannot start the statistics thread")?;
    Ok(server)
}

/// Print the running daemon's figures every `interval` until told to stop.
pub fn monitor(interval: Duration, stop: &Arc<AtomicBool>) -> Result<()> {
    scx_utils::monitor_stats::<Metrics>(
        &[],
        interval,
        || stop.load(Ordering::Relaxed),
        |metrics| metrics.print(&mut std::io::stdout()),
    )
}

/// [`monitor`] beside the daemon, in a thread of its own.
pub fn monitor_beside(interval: Duration, stop: &Arc<AtomicBool>) -> Result<()> {
    let stop = Arc::clone(stop);
    thread::Builder::new()
        .name("monitor".to_owned())
        .spawn(move || {
            if let Err(error) = monitor(interval, &stop) {
                warn!("statistics ended: {error:#}");
            }
        })
        .context("cannot start the monitor thread")?;
    Ok(())
}
