// SPDX-License-Identifier: GPL-2.0-only
//! Which sched_ext scheduler the kernel says is in force.

use std::fs;

/// A scheduler's time in force: another one's, even of the same name, differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reign {
    pub name: String,
    /// How many times schedulers have been enabled since boot.
    pub number: u64,
}

/// The sched_ext scheduler in force; `None`: the kernel's own schedules alone.
pub fn in_force() -> Option<Reign> {
    if state() != "enabled" {
        return None;
    }
    Some(Reign {
        name: read("root/ops").filter(|name| !name.is_empty())?,
        number: read("enable_seq")?.parse().ok()?,
    })
}

/// Whether the kernel has it.
pub fn is_there() -> bool {
    !state().is_empty()
}

/// `enabled`, `disabled`, on the way there, or empty without sched_ext.
pub fn state() -> String {
    read("state").unwrap_or_default()
}

fn read(file: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/sys/kernel/sched_ext/{file}")).ok()?;
    Some(text.trim().to_owned())
}
