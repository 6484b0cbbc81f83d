// SPDX-License-Identifier: GPL-2.0-only
//! Who takes part in a comparison.

use clap::ValueEnum;

/// A scheduler, and what it knows when its rounds begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrant {
    /// The kernel's own, with nobody watching.
    Kernel,
    /// ALPS with nothing learned before.
    AlpsCold,
    /// ALPS with what it has learned from other requests of the same functions.
    AlpsWarm,
    /// ALPS told the true CPU time of each invocation as it begins.
    Oracle,
    /// One that was named by its command line: the place among those.
    Versus(usize),
}

/// Those that need no command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Builtin {
    /// The kernel's own scheduler
    Kernel,
    /// ALPS that has learned nothing before the round
    Cold,
    /// ALPS that has learned in a round before
    Warm,
}

impl From<Builtin> for Entrant {
    fn from(builtin: Builtin) -> Self {
        match builtin {
            Builtin::Kernel => Entrant::Kernel,
            Builtin::Cold => Entrant::AlpsCold,
            Builtin::Warm => Entrant::AlpsWarm,
        }
    }
}

impl Entrant {
    /// Whether it is this program's own daemon.
    pub fn is_alps(self) -> bool {
        matches!(self, Self::AlpsCold | Self::AlpsWarm | Self::Oracle)
    }

    /// All that take part, in the order of the first rounds. Nobody takes
    /// part twice.
    pub fn all(builtin: &[Builtin], oracle: bool, versus: usize) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let given = builtin.iter().map(|&builtin| builtin.into());
        let given = given.chain(oracle.then_some(Self::Oracle));
        for entrant in given.chain((0..versus).map(Self::Versus)) {
            if !all.contains(&entrant) {
                all.push(entrant);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_part_twice() {
        let builtin = [Builtin::Kernel, Builtin::Warm, Builtin::Kernel];
        assert_eq!(
            Entrant::all(&builtin, true, 2),
            [
                Entrant::Kernel,
                Entrant::AlpsWarm,
                Entrant::Oracle,
                Entrant::Versus(0),
                Entrant::Versus(1)
            ]
        );
    }
}
