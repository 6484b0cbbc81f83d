// SPDX-License-Identifier: GPL-2.0-only
//! A run: all that was measured, or simulated, at one go.

use std::fmt;

use serde::Serialize;

use super::{Contender, Round};

/// All rounds of a run and what they must be read with.
#[derive(Clone, Debug)]
pub struct Run {
    pub conditions: Conditions,
    /// What rounds can be compared within.
    pub settings: Vec<Setting>,
    /// In the order of running. In each setting the first round's contender is
    /// what the others are compared with.
    pub rounds: Vec<Round>,
    /// The contender that is no rival but the best one can hope for, such as
    /// an oracle.
    pub bound: Option<Contender>,
}

/// What holds for the whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Conditions {
    /// The program with its version: `scx_alps 0.1.0`.
    pub version: String,
    /// The command that gives the run again.
    pub command: String,
    /// `None` where all is simulated.
    pub machine: Option<Machine>,
}

/// The machine measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub kernel_release: String,
    /// CPUs online.
    pub cpus: u32,
}

/// What rounds must share to be compared: the functions, the load, and how
/// they meet the machine.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// The trace's name: `mixed`.
    pub trace: String,
    /// How functions are laid out: `a cgroup a function, cpu controller on`;
    /// empty where that means nothing.
    pub layout: String,
    /// CPU time asked for over CPU time there is.
    pub load: f64,
    /// The CPUs the load is meant for.
    pub cpus: u32,
    /// How long requests arrive, in each round.
    pub seconds: f64,
    /// The functions' names; [`Outcome::function`](super::Outcome::function)
    /// indexes them.
    pub functions: Vec<String>,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let cpus = if self.cpus == 1 { "CPU" } else { "CPUs" };
        let seconds = (self.seconds * 1e3).round() / 1e3;
        write!(
            f,
            "{} trace, load {:.2} on {} {cpus}, {seconds} s",
            self.trace, self.load, self.cpus
        )
    }
}

impl Run {
    /// The rounds of one setting, in the order of running.
    pub fn rounds_in(&self, setting: usize) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(move |r| r.setting == setting)
    }

    /// The contenders of one setting in the order of their first rounds.
    pub fn contenders_in(&self, setting: usize) -> Vec<&Contender> {
        let mut contenders = Vec::new();
        for round in self.rounds_in(setting) {
            if !contenders.contains(&&round.contender) {
                contenders.push(&round.contender);
            }
        }
        contenders
    }

    /// The setting's seeds in the order of their first rounds.
    pub fn seeds_in(&self, setting: usize) -> Vec<u64> {
        let mut seeds = Vec::new();
        for round in self.rounds_in(setting) {
            if !seeds.contains(&round.seed) {
                seeds.push(round.seed);
            }
        }
        seeds
    }
}
