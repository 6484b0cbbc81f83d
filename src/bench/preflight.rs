// SPDX-License-Identifier: GPL-2.0-only
//! What can be found wrong before anything is started.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::cgroups::{Cgroups, Layout};
use super::command_line::CommandLine;
use super::entrant::Entrant;
use super::host::Host;
use crate::engine::{Kind, requirements};

/// CPUs that the load is meant for.
///
/// # Errors
/// When there are not so many.
pub fn cpus(wanted: Option<u32>, host: &Host) -> Result<u32> {
    match wanted {
        None => Ok(host.cpus),
        Some(0) => bail!("--cpus 0: a load needs at least one CPU"),
        Some(cpus) if cpus > host.cpus => bail!(
            "--cpus {cpus}: only {} may be used here; pass at most that \
             (the load generator needs none of its own)",
            host.cpus
        ),
        Some(cpus) => Ok(cpus),
    }
}

/// Whether everybody could take part.
///
/// # Errors
/// Says what is missing.
pub fn schedulers(entrants: &[Entrant], versus: &[CommandLine]) -> Result<()> {
    ensure!(
        !entrants.is_empty(),
        "nobody takes part; pass --schedulers kernel,cold,warm"
    );
    for line in versus {
        line.find()?;
    }
    if entrants.iter().any(|&entrant| entrant != Entrant::Kernel) {
        requirements::check_kernel()?;
        Kind::of_this_kernel(None).map(drop)
    } else {
        requirements::check_no_other_scheduler()
    }
}

/// Whether all layouts can be made.
///
/// # Errors
/// Says what is missing.
pub fn layouts(layouts: &[Layout], parent: &Path, functions: &[String]) -> Result<()> {
    layouts
        .iter()
        .try_for_each(|&layout| Cgroups::create(layout, parent, functions).map(drop))
}

/// Whether results can be written to the folder `dir`, which is created if
/// need be.
///
/// # Errors
/// When it cannot be written to.
pub fn output(dir: &Path) -> Result<()> {
    let context = || format!("--out: cannot write to {}", dir.display());
    fs::create_dir_all(dir).with_context(context)?;
    tempfile::tempfile_in(dir).with_context(context)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_cpus_are_refused() {
        let host = Host {
            kernel_release: "6.18".into(),
            cpus: 2,
        };
        assert_eq!(cpus(None, &host).unwrap(), 2);
        assert_eq!(cpus(Some(1), &host).unwrap(), 1);
        assert!(cpus(Some(0), &host).is_err());
        let error = cpus(Some(3), &host).unwrap_err().to_string();
        assert!(error.contains('3') && error.contains('2'), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(output(&dir.path().join("new/folder")).is_ok());
        let error = output(Path::new("/proc/version/results")).unwrap_err();
        assert!(error.to_string().contains("/proc/version/results"));
    }
}
