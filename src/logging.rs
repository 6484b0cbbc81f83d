// SPDX-License-Identifier: GPL-2.0-only
//! Log lines on standard error.

use anyhow::Result;
use simplelog::{ColorChoice, ConfigBuilder, LevelFilter, TermLogger, TerminalMode};

/// Begin to log; `verbose` adds debugging messages.
pub fn start(verbose: bool) -> Result<()> {
    let level = if verbose {
        LevelFilter::Debug
    } else {
        LevelFilter::Info
    };
    let mut config = ConfigBuilder::new();
    // Without a time zone the lines are in UTC, which is no reason not to log.
    let _ = config.set_time_offset_to_local();
    let config = config
        .set_location_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .build();
    TermLogger::init(level, config, TerminalMode::Stderr, ColorChoice::Auto)?;
    Ok(())
}
