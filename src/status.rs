// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps on`, `off`, `toggle` and `status`; and the status in words.

use std::path::Path;

use anyhow::{Result, bail};
use scx_utils::build_id;

use scx_alps::learn::Change;

use crate::control::{Command, Reply, Status, ask};
use crate::top::format;

/// The version with the build it came from.
pub fn version() -> String {
    build_id::full_version(env!("CARGO_PKG_VERSION"))
}

/// Switch, and say what is in force now.
pub fn change(socket: &Path, command: Command) -> Result<()> {
    let status = after(socket, command)?;
    println!("{}", in_force(&status));
    Ok(())
}

/// Print the daemon's status, for people or as JSON.
pub fn show(socket: &Path, json: bool) -> Result<()> {
    let status = after(socket, Command::Status)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    println!("{}", in_force(&status));
    println!(
        "version      {}, up for {:.0} s, engine '{}'",
        status.version, status.uptime_s, status.engine
    );
    println!(
        "machine      {} CPUs, {:.0} % busy",
        status.cpus, status.utilisation_percent
    );
    println!(
        "learned      {} functions by '{}', K = {}, policy table v{}",
        status.functions,
        status.predictor,
        format::setting(status.bias_factor),
        status.policy_version
    );
    println!("{}", learning(&status));
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

/// The status a command is answered with.
pub fn after(socket: &Path, command: Command) -> Result<Status> {
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

/// What is set about learning.
pub fn learning(status: &Status) -> String {
    let Change {
        ml,
        objective,
        alpha,
        beta,
        theta,
        gamma,
        unpred,
        overload,
        bias_factor,
        load_factor,
    } = &*status.settings;
    let number = |value: &Option<f64>| value.map_or("-".to_owned(), format::setting);
    let switch = |value: &Option<bool>| if *value == Some(true) { "on" } else { "off" };
    let ml = ml.as_deref().unwrap_or("-");
    let objective = match objective.as_deref() {
        Some(objective) if ml == "gittins" => format!(" for {objective}"),
        _ => String::new(),
    };
    format!(
        "set          {ml}{objective}, bias factor {} (times {} under load; {} in force)\n\
         tuning       alpha {}, beta {} (unpred {}), theta {}, gamma {} (overload {})",
        number(bias_factor),
        number(load_factor),
        format::setting(status.bias_factor),
        number(alpha),
        number(beta),
        switch(unpred),
        number(theta),
        number(gamma),
        switch(overload),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use scx_alps::learn::Settings;

    #[test]
    fn what_is_set_is_said_in_two_lines() {
        let change = Change {
            ml: Some("gittins".to_owned()),
            alpha: Some(1.5),
            overload: Some(false),
            ..Change::default()
        };
        let settings = Settings::default().changed(&change).unwrap();
        let status = Status {
            bias_factor: 16.0,
            settings: Box::new(settings.as_change()),
            ..Status::default()
        };
        assert_eq!(
            learning(&status),
            "set          gittins for response, bias factor 16 (times 1 under load; 16 in force)\n\
             tuning       alpha 1.50, beta 1 (unpred on), theta 50, gamma 1 (overload off)"
        );
    }
}
