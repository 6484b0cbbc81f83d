// SPDX-License-Identifier: GPL-2.0-only
//! The machine measured on.

use std::fs;

use anyhow::{Context, Result};

use scx_alps::report::Machine;

/// What a figure must be read with.
#[derive(Clone, Debug)]
pub struct Host {
    pub kernel_release: String,
    /// CPUs that may be used here: online, and in the affinity this began with.
    pub cpus: u32,
}

impl Host {
    /// The machine this runs on.
    pub fn this() -> Result<Self> {
        let file = "/proc/sys/kernel/osrelease";
        let release = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let cpus = std::thread::available_parallelism()
            .context("the number of CPUs that may be used cannot be found out")?;
        Ok(Self {
            kernel_release: release.trim().into(),
            cpus: u32::try_from(cpus.get())?,
        })
    }

    /// As reports name it.
    pub fn machine(&self) -> Machine {
        Machine {
            kernel_release: self.kernel_release.clone(),
            cpus: self.cpus,
        }
    }

    /// The name of the kernel's own scheduler: CFS gave way to EEVDF in 6.6.
    pub fn kernel_scheduler(&self) -> &'static str {
        let mut numbers = self.kernel_release.split(['.', '-']).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < (6u32, 6u32) => "CFS",
            _ => "EEVDF",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduler_follows_release() {
        let name = |release: &str| {
            let host = Host {
                kernel_release: release.into(),
                cpus: 1,
            };
            host.kernel_scheduler()
        };
        assert_eq!(name("5.18.0-rc5"), "CFS");
        assert_eq!(name("6.1.0-37-amd64"), "CFS");
        assert_eq!(name("6.6.1"), "EEVDF");
        assert_eq!(name("7.3.4+deb13-cloud-amd64"), "EEVDF");
        assert_eq!(name("odd"), "EEVDF");
    }
}
