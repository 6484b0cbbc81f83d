// SPDX-License-Identifier: GPL-2.0-only
//! What the program is asked to do.

/// Where the program finds itself.
pub enum Role {
    Host,
    Guest,
    List,
}

pub struct Arguments {
    pub role: Role,
    /// Parts of scenarios' names; none: all scenarios. In the guest, the names
    /// of those to run.
    pub names: Vec<String>,
}

impl Arguments {
    /// Options of Rust's own test harness, which `cargo test` hands to all
    /// tests alike, mean nothing here and are passed over.
    pub fn parse(words: impl Iterator<Item = String>) -> Self {
        let mut arguments = Self {
            role: Role::Host,
            names: Vec::new(),
        };
        for word in words {
            match word.as_str() {
                "--list" => arguments.role = Role::List,
                "--in-guest" => arguments.role = Role::Guest,
                option if option.starts_with('-') => {}
                _ => arguments.names.push(word),
            }
        }
        arguments
    }
}
