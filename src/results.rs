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
    let comparisons = Comparison::all(run);
    for (number, comparison) in (1..).zip(&comparisons) {
        for plot in plot::plots(comparison, &number.to_string()) {
            let path = dir.join(plot_name(plot.name, number));
            file(&path, |out| out.write_all(plot.file().as_bytes()))?;
        }
    }
    remove_plots_from(dir, comparisons.len() + 1)
}

/// Most runs have one setting, whose plots need no number.
fn plot_name(plot: &str, setting: usize) -> String {
    match setting {
        1 => format!("{plot}.svg"),
        _ => format!("{plot}-{setting}.svg"),
    }
}

/// Removes what an earlier run left in the same folder: the plots of the
/// settings from number `setting` on, which this run does not have.
fn remove_plots_from(dir: &Path, setting: usize) -> Result<()> {
    for setting in setting.. {
        let mut removed = false;
        for plot in plot::NAMES {
            let path = dir.join(plot_name(plot, setting));
            match fs::remove_file(&path) {
                Ok(()) => removed = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("cannot remove {} of an earlier run", path.display())
                    });
                }
            }
        }
        if !removed {
            break;
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
    use scx_alps::report::{Conditions, Contender, Outcome, Round, Setting};

    fn run(settings: usize) -> Run {
        let setting = Setting {
            trace: "mixed".to_owned(),
            layout: String::new(),
            load: 0.9,
            cpus: 2,
            seconds: 1.0,
            functions: vec!["f".to_owned()],
        };
        let outcome = Outcome {
            function: 0,
            arrival_ns: 0,
            first_run_ns: 5,
            end_ns: 20,
            cpu_requested_ns: 10,
            cpu_used_ns: 10,
            pause_ns: 0,
            switches: 1,
        };
        let rounds = (0..settings).flat_map(|setting| {
            let round = |name: &str| {
                let contender = Contender::new(name);
                Round::new(setting, contender, 1, vec![outcome])
            };
            [round("EEVDF"), round("ALPS")]
        });
        Run {
            conditions: Conditions {
                version: "scx_alps".to_owned(),
                command: "scx_alps bench".to_owned(),
                machine: None,
            },
            settings: vec![setting; settings],
            rounds: rounds.collect(),
            bound: None,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_folder_holds_the_last_run_and_nothing_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes-2.svg"), "mine").unwrap();
        write(folder.path(), &run(3)).unwrap();
        assert_eq!(names(folder.path()).len(), 4 + 3 * plot::NAMES.len());
        write(folder.path(), &run(1)).unwrap();
        let left = names(folder.path());
        assert_eq!(left.len(), 4 + plot::NAMES.len(), "{left:?}");
        assert!(left.contains(&"notes-2.svg".to_owned()), "{left:?}");

        let summary = fs::read(folder.path().join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        assert_eq!(summary["rounds"].as_array().unwrap().len(), 2);
        assert_eq!(summary["rounds"][0]["setting"], 1);
        let rows = fs::read_to_string(folder.path().join("invocations.csv")).unwrap();
        assert_eq!(rows.lines().count(), 3);
    }

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
