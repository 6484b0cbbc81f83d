// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps on`, `off`, `toggle` and `status`.

use std::path::Path;

use anyhow::{Result, bail};
use scx_utils::build_id;

use crate::control::{Command, Reply, Status, ask};

/// The version with the build it came from.
pub fn version() -> String {
    build_id::full_version(env!("CARGO_PKG_VERSION"))
}

/// Switch, and say what is in force now.
pub fn change(socket: &Path, command: Command) -> Result<()> {
    let status = status_after(socket, command)?;
    println!("{}", in_force(&status));
    Ok(())
}

/// Print the daemon's status, for people or as JSON.
pub fn show(socket: &Path, json: bool) -> Result<()> {
    let status = status_after(socket, Command::Status)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    println!("{}", in_force(&status));
    println!(
        "version      {}, up for {:.0} s",
        status.version, status.uptime_s
    );
    println!(
        "machine      {} CPUs, {:.0} % busy",
        status.cpus, status.utilisation_percent
    );
    println!(
        "learned      {} functions by '{}', K = {}, policy table v{}",
        status.functions, status.predictor, status.bias_factor, status.policy_version
    );
    println!(
        "rounds       {:.1} ms the last one; a table was published in {:.1} ms at most",
        status.round_ms, status.publish_max_ms
    );
    println!(
        "observed     {} invocations, {} lost ({} notices lost)",
        status.invocations, status.invocations_lost, status.notices_lost
    );
    println!("enforced     {} preemptions", status.preemptions);
    Ok(())
}

fn status_after(socket: &Path, command: Command) -> Result<Status> {
    match ask(socket, command)? {
        Reply::Status(status) => Ok(status),
        other => bail!("the daemon gave an answer to another question: {other:?}"),
    }
}

fn in_force(status: &Status) -> String {
    let mut line = if status.enforcing {
        "on: scx_alps schedules".to_owned()
    } else {
        "off: the kernel's own scheduler is in force, learning goes on".to_owned()
    };
    if let Some(took) = status.last_switch_ms {
        line.push_str(&format!(" (switched in {took:.1} ms)"));
    }
    line
}
