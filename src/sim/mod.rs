// SPDX-License-Identifier: GPL-2.0-only
//! Scheduling policies played through in simulated time.
//!
//! Simulations are driven by events, never by ticks: their cost depends on
//! how many invocations there are, not on how long they take.

pub mod discipline;
pub mod job;
pub mod machine;
pub mod srpt;

pub use discipline::Discipline;
pub use job::{Job, Outcome, Slice};
pub use machine::Machine;
