// SPDX-License-Identifier: GPL-2.0-only
//! Another scheduler takes part by its command line; one that dies makes its
//! round invalid and not the run.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::bench;
use crate::daemon::PROGRAM;
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;

/// This program under another name, standing for any other scheduler.
const OTHER: &str = "scx_other --socket /run/other.sock";

pub const SCENARIO: Scenario = Scenario {
    name: "bench-versus",
    title: "other schedulers take part, and one that dies is noticed",
    machine: Machine::Parallel,
    limit: Duration::from_secs(90),
    run,
};

fn run(report: &Report) -> Result<()> {
    let other = Path::new(DIRECTORY).join("scx_other");
    symlink(PROGRAM, &other)?;
    let other = format!(
        "{}{}",
        other.display(),
        OTHER.trim_start_matches("scx_other")
    );
    // Ends a while after it has come into force, in the midst of the load.
    let mortal = format!(
        "sh -c '{other} & until grep -q enabled /sys/kernel/sched_ext/state; do sleep 0.1; done; \
         sleep 4; kill $!; wait'"
    );
    let options = [
        &["--schedulers", "kernel", "--seeds", "1", "--seconds", "4"][..],
        &["--load", "0.3", "--versus", &*other, "--versus", &*mortal],
    ]
    .concat();
    let summary = bench::run(&options, SCENARIO.limit)?;

    let rounds = summary["rounds"].as_array().into_iter().flatten();
    let of = |name: &str| {
        let mut rounds = rounds.clone();
        rounds.find(|round| round["scheduler"] == name)
    };
    let (Some(lives), Some(dies)) = (of("scx_other"), of("sh")) else {
        bail!("expected rounds of both and saw {summary}");
    };
    let blamed = |round| -> Vec<String> {
        bench::doubts(round)
            .into_iter()
            .filter(|doubt| doubt.contains("ended"))
            .map(str::to_owned)
            .collect()
    };
    report.note(blamed(dies).join("; "));
    ensure!(
        blamed(lives).is_empty() && lives["scheduler_cpu_percent"].is_number(),
        "expected the living one's round to be a good one and saw {lives}"
    );
    ensure!(
        !blamed(dies).is_empty(),
        "expected the dying one's round to be invalid and saw {dies}"
    );
    Ok(())
}
