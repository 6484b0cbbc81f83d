// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps policy`: the policy table in force, printed or saved.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use scx_alps::policy::{NamedTable, PolicyEntry};

use crate::control::{Command, Reply, ask};
use crate::top::format;

/// Attained service at which biases are printed, in nanoseconds.
const LOOKS_NS: [u64; 5] = [0, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Print the daemon's table, or write it to `save` as JSON.
pub fn run(socket: &Path, save: Option<&Path>) -> Result<()> {
    let table = match ask(socket, Command::Policy)? {
        Reply::Policy { table } => table,
        other => bail!("the daemon gave an answer to another question: {other:?}"),
    };
    match save {
        None => print!("{}", printed(&table)),
        Some(file) if file == Path::new("-") => println!("{}", serde_json::to_string(&table)?),
        Some(file) => {
            write(file, &table).with_context(|| format!("cannot write {}", file.display()))?;
            println!("{} functions saved to {}", table.len(), file.display());
        }
    }
    Ok(())
}

/// Replaces the file as a whole.
fn write(file: &Path, table: &NamedTable) -> Result<()> {
    let directory = file.parent().filter(|parent| *parent != Path::new(""));
    let mut out = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    out.write_all(&serde_json::to_vec(table)?)?;
    out.as_file().sync_all()?;
    // Temporary files are for their owner only; this one is for its readers.
    fs::set_permissions(
        out.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )?;
    out.persist(file)?;
    Ok(())
}

/// A line for each function, in their order, and the prior's last.
fn printed(table: &NamedTable) -> String {
    let mut functions: Vec<(&str, &PolicyEntry)> = table.iter().collect();
    functions.sort_by_key(|&(name, entry)| (entry.rank, name));
    let mut text = format!(
        "{:>5} {:>5} {:>7} {:>6} {:>34}  {}\n",
        "rank", "seen", "needs", "slice", "bias after 0/1ms/10ms/100ms/1s", "function"
    );
    let prior = ("(any function not seen yet)", table.prior());
    for (name, entry) in functions.into_iter().chain([prior]) {
        let biases = LOOKS_NS.map(|at_ns| format!("{:>6}", format::duration(entry.bias_at(at_ns))));
        let slice = match entry.slice_ns {
            0 => format::NOTHING.to_owned(),
            slice_ns => format::duration(slice_ns),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:>5} {:>5} {:>7} {:>6} {}  {name}",
            entry.rank,
            entry.samples,
            format::duration(entry.predicted_ns),
            slice,
            biases.join(" ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use scx_alps::policy::{BUCKETS, MadeBy, PolicyTable};

    fn table() -> NamedTable {
        let entry = |bias, rank| PolicyEntry {
            bias_ns: [bias; BUCKETS],
            slice_ns: bias / 2,
            rank,
            samples: 9,
            predicted_ns: bias / 16,
        };
        let table = PolicyTable::new(vec![entry(0, 2), entry(16_000_000, 1), entry(1_000_000, 0)]);
        NamedTable::new(&table, MadeBy::default(), |id| {
            Some(["", "long", "short"][id.slot()])
        })
    }

    #[test]
    fn functions_are_printed_in_their_order_and_the_prior_last() {
        let text = printed(&table());
        let names: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().last())
            .collect();
        assert_eq!(names, ["function", "short", "long", "yet)"].map(Some));
        assert!(text.contains("1.00ms"), "{text}");
    }

    #[test]
    fn what_is_saved_can_be_read_and_replaces_the_file_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("table.json");
        fs::write(&file, "old").unwrap();
        write(&file, &table()).unwrap();
        let read = NamedTable::parse(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(read, table());
        assert!(write(&directory.path().join("no/such"), &table()).is_err());
    }
}
