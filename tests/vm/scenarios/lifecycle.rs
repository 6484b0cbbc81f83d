// SPDX-License-Identifier: GPL-2.0-only
//! Signals, and what is kept from one life to the next.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;
use crate::{load, sched_ext, wait};

const SAMPLES: u64 = 6;

pub const SCENARIO: Scenario = Scenario {
    name: "lifecycle",
    title: "signals toggle and stop, and what was learned survives",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(_: &Report) -> Result<()> {
    let function = Cgroup::new("function")?;
    let state = Path::new(DIRECTORY).join("state.json");
    let state = state.to_string_lossy();
    let options = ["--interval", "100ms", "--state", &*state];

    let daemon = Daemon::start(&options)?;
    for wanted in ["disabled", "enabled"] {
        daemon.signal(libc::SIGUSR1);
        sched_ext::await_state(wanted, Duration::from_secs(10))?;
    }
    load::finish(load::start(
        &function,
        SAMPLES as usize,
        Duration::from_millis(20),
    )?)?;
    wait::until("the function to be learned", Duration::from_secs(5), || {
        Ok(daemon.function("function")?.count("samples")? == SAMPLES)
    })?;
    let learned = daemon.function("function")?;
    daemon.stop()?;

    let daemon = Daemon::start(&options)?;
    let restored = daemon.function("function")?;
    ensure!(
        restored.count("samples")? == SAMPLES
            && restored.count("predicted_ns")? == learned.count("predicted_ns")?,
        "expected what was learned to be restored: before {learned:?}, after {restored:?}"
    );
    daemon.stop()?;

    let whole = fs::read_to_string(&*state)?;
    fs::write(&*state, &whole[..whole.len() / 2])?;
    let daemon = Daemon::start(&options)?;
    daemon.await_log("starting with nothing learned")?;
    let log = daemon.log();
    ensure!(
        log.contains("state.json is damaged"),
        "expected the damaged file to be named and saw {log}"
    );
    ensure!(
        Path::new(&format!("{state}.damaged")).exists(),
        "expected the damaged file to be kept"
    );
    // The last of the signals that end it, too.
    daemon.signal(libc::SIGINT);
    daemon.stop()
}
