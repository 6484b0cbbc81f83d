// SPDX-License-Identifier: GPL-2.0-only
//! What the program is asked to do.

use anyhow::{Context, Result};

use crate::machine::Machine;

/// Where the program finds itself.
pub enum Role {
    Host,
    Guest(Machine),
    List,
}

pub struct Arguments {
    pub role: Role,
    /// Parts of scenarios' names; none: all scenarios.
    pub filters: Vec<String>,
    /// How many of the machine's scenarios have been run before.
    pub done: usize,
}

impl Arguments {
    /// Options of Rust's own test harness, which `cargo test` hands to all
    /// tests alike, mean nothing here and are passed over.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            role: Role::Host,
            filters: Vec::new(),
            done: 0,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => arguments.role = Role::List,
                "--in-guest" => {
                    let machine = words.next().context("--in-guest needs a machine")?;
                    arguments.role = Role::Guest(Machine::named(&machine)?);
                }
                "--done" => {
                    let done = words.next().context("--done needs a number")?;
                    arguments.done = done.parse().context("--done needs a number")?;
                }
                option if option.starts_with('-') => {}
                _ => arguments.filters.push(word),
            }
        }
        Ok(arguments)
    }
}
