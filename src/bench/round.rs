// SPDX-License-Identifier: GPL-2.0-only
//! What a round came to, and whether it can be trusted.

use anyhow::{Result, anyhow};

use scx_alps::report::{Contender, Distribution, Round};

use super::generator::Run;
use super::offer::Offer;
use super::slot::Launched;

/// A generator later than this on average does not offer the load it should:
/// a tenth of the shortest function's CPU time.
const TOLERABLE_LATENESS_MS: f64 = 0.1;

const NS_PER_MS: f64 = 1e6;

/// The round in which `offer` became `run` under `contender`. Its start is
/// that of its trace, on the monotonic clock.
///
/// # Errors
/// When nothing was offered at all.
pub fn of(setting: usize, contender: Contender, offer: &Offer, run: &Run) -> Result<Round> {
    let requests = &offer.trace.requests;
    let launched: Vec<(u64, Launched)> = requests
        .iter()
        .zip(&*run.slots)
        .filter_map(|(request, slot)| Some((run.start_ns + request.arrival_ns, slot.launched()?)))
        .collect();
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let lateness = launched
        .iter()
        .map(|&(due_ns, l)| ms(l.woken_ns.saturating_sub(due_ns)));
    let launch = launched
        .iter()
        .map(|&(_, l)| ms(l.launched_ns.saturating_sub(l.woken_ns)));
    let nothing = || anyhow!("the generator launched nothing");
    let lateness_ms = Distribution::of(lateness.collect()).ok_or_else(nothing)?;
    let launch_ms = Distribution::of(launch.collect()).ok_or_else(nothing)?;

    let outcomes = offer.outcomes(run);
    let unserved = requests.len() - outcomes.len();
    Ok(Round {
        start_ns: Some(run.start_ns),
        lateness_ms: Some(lateness_ms),
        launch_ms: Some(launch_ms),
        unserved,
        doubts: doubts(run, lateness_ms.mean, unserved),
        ..Round::new(setting, contender, offer.seed, outcomes)
    })
}

/// Why the figures should not be trusted.
fn doubts(run: &Run, lateness_ms: f64, unserved: usize) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(error) = &run.priority_error {
        doubts.push(format!(
            "the generator could not run SCHED_FIFO ({error}); run as root"
        ));
    }
    if lateness_ms > TOLERABLE_LATENESS_MS {
        doubts.push(format!(
            "the generator could not keep up: it was {lateness_ms:.2} ms late on average, \
             and {TOLERABLE_LATENESS_MS} ms can be tolerated"
        ));
    }
    if unserved > 0 {
        doubts.push(format!(
            "{unserved} requests were not served in time and do not count"
        ));
    }
    doubts
}
