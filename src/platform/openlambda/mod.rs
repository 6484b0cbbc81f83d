// SPDX-License-Identifier: GPL-2.0-only
//! OpenLambda's workers, as far as their configurations tell.

mod config;
mod error;
mod name;
mod workers;

pub use config::{Limits, MAX_CONFIG_BYTES, WorkerConfig};
pub use error::ConfigError;
pub use name::{MAX_FUNCTION_NAME_BYTES, check_name};
pub use workers::{MAX_WORKERS, Worker, Workers};
