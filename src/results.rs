// SPDX-License-Identifier: GPL-2.0-only
//! A run's results as files in a folder.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use scx_alps::report::{Comparison, Run, SummaryFile, html, invocation_row, plot};

/// Writes all files to the folder `dir`, which is created if need be.
///
/// # Errors
/// When one of them cannot be written; those before it are there.
pub fn write(dir: &Path, run: &Run) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    file(&dir.join("summary.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &SummaryFile::of(run))?;
        writeln!(out)
    })?;
    file(&dir.join("invocations.csv"), |out| {
        let mut csv = csv::Writer::from_writer(out);
        for row in invocation_row::rows(run) {
            csv.serialize(row).map_err(io::Error::other)?;
        }
        csv.flush()
    })?;
    file(&dir.join("report.html"), |out| {
        out.write_all(html::page(run).as_bytes())
    })?;
    for (number, comparison) in Comparison::all(run).iter().enumerate() {
        for plot in plot::plots(comparison, &number.to_string()) {
            // Most runs have one setting, whose plots need no number.
            let name = match number {
                0 => format!("{}.svg", plot.name),
                _ => format!("{}-{}.svg", plot.name, number + 1),
            };
            file(&dir.join(name), |out| out.write_all(plot.file().as_bytes()))?;
        }
    }
    Ok(())
}

/// Writes a file whole, or leaves what was there.
pub fn file(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<()> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        let new = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        let mut out = BufWriter::new(new.as_file());
        content(&mut out)?;
        out.flush()?;
        drop(out);
        new.persist(path)?;
        Ok::<(), io::Error>(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_names_its_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        let full = |out: &mut BufWriter<&File>| {
            out.write_all(&[b'x'; 100_000])?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let message = format!("{:#}", file(&path, full).unwrap_err());
        assert!(
            message.contains("summary.json: no storage space"),
            "{message}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_succeeds_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        for text in ["old", "new"] {
            file(&path, |out| out.write_all(text.as_bytes())).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
