// SPDX-License-Identifier: GPL-2.0-only
//! Scheduling policies played through in simulated time.
//!
//! Simulations are driven by events, never by ticks: their cost depends on
//! how many invocations there are, not on how long they take.
//!
//! Most policies are a [`Discipline`] of a [`Machine`]; the two that share
//! CPUs ideally, [`share`] and [`las`], are simulations of their own.

pub mod alps;
mod clock;
#[cfg(test)]
mod closed_forms;
pub mod discipline;
mod fair;
pub mod fifo;
pub mod gantt;
pub mod index;
pub mod job;
pub mod las;
pub mod machine;
pub mod policy;
#[cfg(test)]
mod properties;
pub mod published;
pub mod round_robin;
pub mod sfs;
pub mod share;
pub mod sjf;
pub mod srpt;
pub mod tables;
#[cfg(test)]
mod test;

pub use discipline::Discipline;
pub use job::{Job, Outcome, Slice};
pub use machine::Machine;
pub use policy::{Policy, Setup, simulate};
pub use tables::Tables;
