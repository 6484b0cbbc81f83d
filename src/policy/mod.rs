// SPDX-License-Identifier: GPL-2.0-only
//! The policy table: everything that is learned, in the form the scheduler
//! enforces it.

mod bias;
pub mod credit;
pub mod grid;
pub mod named;
pub mod table;

pub use grid::BUCKETS;
pub use named::{MadeBy, NamedTable, NamedTableError};
pub use table::{PolicyEntry, PolicyTable};
