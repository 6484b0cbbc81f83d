// SPDX-License-Identifier: GPL-2.0-only
//! Waiting for something that must come about.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Until `come` holds, asking every few milliseconds; `what` completes "expected … within".
pub fn until(what: &str, limit: Duration, mut come: impl FnMut() -> Result<bool>) -> Result<()> {
    let begin = Instant::now();
    while !come()? {
        if begin.elapsed() > limit {
            bail!(
                "expected {what} within {:.1} s, and it did not come",
                limit.as_secs_f64()
            );
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
