// SPDX-License-Identifier: GPL-2.0-only
//! A worker of our own that serves a trace's functions over HTTP, for a round
//! that measures the whole path.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use scx_alps::report::{Contender, Round};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::cgroups::Layout;
use super::offer::Offer;
use super::service::Service;
use crate::invoke::{self, Calls, Sent, outcomes};
use crate::worker::probe;

/// Until the worker answers.
const READY: Duration = Duration::from_secs(60);

/// The worker's name, which is in its functions' cgroups.
const NAME: &str = "http";

/// No limit is to be felt: requests wait for the CPU, not for a turn.
const CONCURRENCY: u64 = 100_000;
const PROCESSES: u64 = 1_000_000;
const MEMORY_MIB: u64 = 1 << 20;

/// A worker that answers; dropping it stops it.
pub struct Platform {
    _service: Service,
    _config: TempDir,
    calls: Calls,
}

impl Platform {
    /// Starts a worker with a function for each of the offer's, which uses
    /// the CPU for as long as it is asked to.
    ///
    /// # Errors
    /// When it does not answer, and when `interrupted` became true.
    pub fn start(
        offer: &Offer,
        layout: Layout,
        cgroup: &Path,
        interrupted: &AtomicBool,
    ) -> Result<Self> {
        let address = free_address()?;
        let functions: Map<String, Value> = offer
            .trace
            .functions
            .iter()
            .map(|name| (name.clone(), json!({"handler": "spin"})))
            .collect();
        let config = json!({
            "worker_port": address.port(),
            "limits": {
                "concurrency": CONCURRENCY,
                "queue": 0,
                "procs": PROCESSES,
                "mem_mb": MEMORY_MIB,
                "max_runtime_default": 24 * 3600,
            },
            "functions": functions,
        });
        let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
        let file = dir.path().join(format!("{NAME}.json"));
        fs::write(&file, config.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command.arg("worker").arg("--config").arg(&file);
        command.arg("--cgroup").arg(cgroup);
        command.args(["--layout", layout.name()]);
        let mut service = Service::start("the worker", command)?;
        service.wait_until("ready", READY, interrupted, || probe::is_ready(address))?;
        Ok(Self {
            _service: service,
            _config: dir,
            calls: Calls::of_trace(&offer.trace, &format!("http://{address}"))?,
        })
    }

    /// Sends all requests and waits for the answers, but for each no longer
    /// than `limit`.
    ///
    /// # Errors
    /// When `interrupted` became true.
    pub fn run(&self, limit: Duration, interrupted: &AtomicBool) -> Result<Sent> {
        invoke::send(self.calls.clone(), invoke::CONNECTIONS, limit, interrupted)
    }

    /// What a round came to.
    ///
    /// # Errors
    /// When nothing was sent.
    pub fn round(
        &self,
        setting: usize,
        contender: Contender,
        seed: u64,
        sent: &Sent,
    ) -> Result<Round> {
        let mut round = outcomes::round(setting, contender, seed, &self.calls, sent)?;
        if !sent.is_real_time {
            let doubt = "the client could not run SCHED_FIFO; run as root";
            round.doubts.push(doubt.to_owned());
        }
        Ok(round)
    }
}

/// A port that is free now: the next to ask for one gets another.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?)
}
