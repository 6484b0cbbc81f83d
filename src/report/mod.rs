// SPDX-License-Identifier: GPL-2.0-only
//! Reports: what became of requests, summed up and set side by side.
//!
//! A [`Run`] is what was measured; [`Comparison`] gives its numbers, and the
//! other modules show them: in the terminal, as files, as plots.

pub mod comparison;
pub mod invocation_row;
pub mod outcome;
pub mod ratio;
pub mod round;
pub mod run;
#[cfg(test)]
mod samples;
mod student;
pub mod summary;
mod summary_file;
pub mod table;
pub mod text;

pub use comparison::{Comparison, Side};
pub use outcome::Outcome;
pub use ratio::Ratio;
pub use round::{Contender, Round, Warmth};
pub use run::{Conditions, Machine, Run, Setting};
pub use summary::{Distribution, Quantity, Statistic, Summary};
pub use summary_file::SummaryFile;
pub use table::Table;
