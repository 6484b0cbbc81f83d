// SPDX-License-Identifier: GPL-2.0-only
//! Which cache domain each CPU is in, numbered from 0.

use anyhow::{Context, Result, bail};
use scx_utils::Topology;

use super::intf;

/// The online CPUs' cache domains.
pub struct CacheDomains {
    /// Pairs of CPU id and domain.
    pub cpus: Vec<(usize, u32)>,
    pub count: u32,
}

impl CacheDomains {
    /// Read from the kernel.
    pub fn read() -> Result<Self> {
        let topology = Topology::new().context("cannot read the CPU topology from /sys")?;
        let llcs: Vec<usize> = topology.all_llcs.keys().copied().collect();
        let most = intf::alps_limits_MAX_LLCS as usize;
        if llcs.len() > most {
            bail!(
                "this machine has {} cache domains and scx_alps is built for at most {most}: \
                 raise MAX_LLCS in src/bpf/intf.h and build it again",
                llcs.len()
            );
        }
        let cpus = topology
            .all_cpus
            .values()
            .map(|cpu| {
                let domain = llcs.binary_search(&cpu.llc_id).unwrap_or(0);
                (cpu.id, domain as u32)
            })
            .collect();
        Ok(Self {
            cpus,
            count: (llcs.len() as u32).max(1),
        })
    }
}
