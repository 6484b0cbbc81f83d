// SPDX-License-Identifier: GPL-2.0-only
//! The figures `--stats` and `--monitor` print, over scx_stats.
//!
//! The scheduler's loop leaves them where a thread finds them: to answer it
//! would have to allocate.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use log::warn;
use scx_stats::prelude::*;
use scx_stats_derive::{Stats, stat_doc};
use serde::{Deserialize, Serialize};

/// Makes the figures and the places where the loop leaves them.
macro_rules! figures {
    (
        now { $($now:ident: $now_desc:literal,)* }
        counted { $($counted:ident: $counted_desc:literal,)* }
    ) => {
        #[stat_doc]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Stats)]
        #[stat(top)]
        pub struct Metrics {
            $(#[stat(desc = $now_desc)] pub $now: u64,)*
            $(#[stat(desc = $counted_desc)] pub $counted: u64,)*
        }

        /// Where the loop leaves them.
        pub struct Board {
            $(pub $now: AtomicU64,)*
            $(pub $counted: AtomicU64,)*
        }

        impl Board {
            const fn new() -> Self {
                Self {
                    $($now: AtomicU64::new(0),)*
                    $($counted: AtomicU64::new(0),)*
                }
            }

            fn read(&self) -> Metrics {
                Metrics {
                    $($now: self.$now.load(Relaxed),)*
                    $($counted: self.$counted.load(Relaxed),)*
                }
            }
        }

        impl Metrics {
            /// What was counted since `earlier`; states are as they are now.
            fn since(&self, earlier: &Self) -> Self {
                Self {
                    $($now: self.$now,)*
                    $($counted: self.$counted.saturating_sub(earlier.$counted),)*
                }
            }
        }
    };
}

figures! {
    now {
    functions: "functions that are known",
    waiting: "tasks that wait for a CPU",
    }
    counted {
    decisions: "tasks that were given a place in the order",
    deciding_ns: "time that took, in nanoseconds",
    rounds: "times the scheduler has run",
    preemptions: "tasks whose CPU was taken from them for a better-ranked one elsewhere",
    looked_up: "times a task's cgroup was looked up",
    unknown: "tasks given a place of whose function nothing is known",
    forgotten: "tasks that were forgotten to make room for others",
    outdated: "requests for a CPU that were taken back meanwhile",
    rescued: "tasks put in front because they have waited too long",
    overflowed: "tasks sent on unordered, more waiting than there is room for",
    user_dispatches: "tasks sent to a CPU of their own",
    kernel_dispatches: "tasks the kernel side has sent to an idle CPU by itself",
    cancelled: "tasks that were taken back on their way to a CPU",
    bounced: "tasks that may not run on the CPU they were sent to",
    congested: "tasks the kernel side could not hand over",
    page_faults: "page faults of the scheduler, of which there should be none",
    }
}

/// The figures of this process.
pub static BOARD: Board = Board::new();

/// Adds to a figure that only one thread writes.
pub fn add(figure: &AtomicU64, count: u64) {
    figure.store(figure.load(Relaxed).wrapping_add(count), Relaxed);
}

impl Metrics {
    fn print(&self, out: &mut impl Write) -> Result<()> {
        writeln!(
            out,
            "[scx_rlalps] functions={} waiting={} | decisions={} at {} ns rounds={} idle={} \
             preempted={} looked-up={} unknown={} forgotten={} outdated={} rescued={} overflowed={} cancelled={} \
             bounced={} congested={} faults={}",
            self.functions,
            self.waiting,
            self.decisions,
            self.deciding_ns / self.decisions.max(1),
            self.rounds,
            self.kernel_dispatches,
            self.preemptions,
            self.looked_up,
            self.unknown,
            self.forgotten,
            self.outdated,
            self.rescued,
            self.overflowed,
            self.cancelled,
            self.bounced,
            self.congested,
            self.page_faults,
        )?;
        Ok(())
    }
}

/// What the statistics server offers, `--help-stats` too.
pub fn server_data() -> StatsServerData<(), Metrics> {
    let open: Box<dyn StatsOpener<(), Metrics>> = Box::new(move |_| {
        let mut earlier = BOARD.read();
        let read: Box<dyn StatsReader<(), Metrics>> = Box::new(move |_args, _| {
            let now = BOARD.read();
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

/// Start the statistics server.
pub fn serve() -> Result<StatsServer<(), Metrics>> {
    StatsServer::new(server_data())
        .launch()
        .context("cannot start the statistics server")
}

/// Print the running scheduler's figures every `interval`.
pub fn monitor(interval: Duration) -> Result<()> {
    scx_utils::monitor_stats::<Metrics>(
        &[],
        interval,
        || false,
        |metrics| metrics.print(&mut std::io::stdout()),
    )
}

/// [`monitor`] beside the scheduler, in a thread of its own.
pub fn monitor_beside(interval: Duration) -> Result<()> {
    thread::Builder::new()
        .name("monitor".to_owned())
        .spawn(move || {
            if let Err(error) = monitor(interval) {
                warn!("statistics ended: {error:#}");
            }
        })
        .context("cannot start the monitor thread")?;
    Ok(())
}
