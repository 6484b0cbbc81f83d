// SPDX-License-Identifier: GPL-2.0-only
//! Where biases are the same, vruntime decides, as without them.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cgroup::Cgroup;
use crate::child::Child;
use crate::clock::{millis, spin_until};
use crate::cpus;
use crate::hook::Answer;
use crate::machine::Machine;
use crate::proc;
use crate::report::Report;
use crate::scenario::Scenario;

const WATCHED: Duration = Duration::from_secs(3);

pub const SCENARIO: Scenario = Scenario {
    name: "hooks-ties",
    title: "entities of the same bias share a CPU by vruntime",
    machine: Machine::HooksExact,
    limit: Duration::from_secs(30),
    run,
};

fn run(report: &Report) -> Result<()> {
    let cgroup = Cgroup::new("function")?;
    for bias_us in [0, 1_000, i32::MAX] {
        let attached = Answer::attach("bpf_cfs_entity_bias", bias_us)?;
        let hogs = (0..3)
            .map(|_| {
                Child::start(Some(&cgroup), || {
                    cpus::allow(0, &[1]).expect("the CPU is there");
                    spin_until(Duration::from_secs(3600));
                })
            })
            .collect::<Result<Vec<_>>>()?;
        sleep(WATCHED);
        let had = hogs
            .iter()
            .map(|hog| proc::cpu(hog.pid()))
            .collect::<Result<Vec<_>>>()?;
        drop(attached);
        let (least, most) = (had.iter().min(), had.iter().max());
        let apart = most.zip(least).map(|(most, least)| *most - *least);
        let apart = apart.unwrap_or_default();
        report.note(format!("bias {bias_us} us: {:.0} ms apart", millis(apart)));
        ensure!(
            apart < WATCHED / 20,
            "expected three hogs of the same bias to have a third of {WATCHED:?} each and saw {had:?}"
        );
    }
    Ok(())
}
