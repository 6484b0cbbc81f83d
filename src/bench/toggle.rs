// SPDX-License-Identifier: GPL-2.0-only
//! How a measurement gets from one scheduler to the other.

use anyhow::Result;

/// Switches the scheduler under the measurement's feet.
pub trait Toggle {
    /// Leaves scheduling to the kernel. ALPS may go on observing.
    fn kernel(&mut self) -> Result<()>;

    /// Lets ALPS enforce what it has learned.
    fn alps(&mut self) -> Result<()>;
}

/// Who schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    Kernel,
    Alps,
}

impl Scheduler {
    /// In the order of measuring: ALPS learns while the kernel schedules.
    pub const ALL: [Scheduler; 2] = [Scheduler::Kernel, Scheduler::Alps];

    /// Puts this scheduler in charge.
    pub fn take_over(self, toggle: &mut dyn Toggle) -> Result<()> {
        match self {
            Scheduler::Kernel => toggle.kernel(),
            Scheduler::Alps => toggle.alps(),
        }
    }
}
