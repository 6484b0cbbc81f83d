// SPDX-License-Identifier: GPL-2.0-only
//! Reports: what became of requests, summed up and set side by side.

pub mod comparison;
pub mod outcome;
pub mod summary;
pub mod table;

pub use comparison::Comparison;
pub use outcome::Outcome;
pub use summary::{Distribution, Summary};
pub use table::Table;
