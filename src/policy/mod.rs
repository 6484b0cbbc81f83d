// SPDX-License-Identifier: GPL-2.0-only
//! The policy table: everything that is learned, in the form the scheduler
//! enforces it.

pub mod grid;
pub mod table;

pub use grid::BUCKETS;
pub use table::{PolicyEntry, PolicyTable};
