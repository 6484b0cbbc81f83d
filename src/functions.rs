// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps functions`: which functions are recognised, from where and how
//! surely.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::cli::FunctionsArgs;
use crate::control::{Command, Recognised, Reply, ask};
use crate::daemon;
use crate::top::text;

/// Print them, for people or as JSON.
pub fn run(args: &FunctionsArgs) -> Result<()> {
    let rows = if args.offline {
        daemon::recognise(args.functions.clone(), args.openlambda.as_deref())?
    } else {
        match ask(&args.control.socket, Command::Recognised)? {
            Reply::Recognised { rows } => rows,
            other => bail!("the daemon gave an answer to another question: {other:?}"),
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", printed(&rows));
    }
    Ok(())
}

/// A line for each function below headings.
fn printed(rows: &[Recognised]) -> String {
    let lines = rows.iter().map(|row| {
        let from = match (&*row.from, &*row.cgroup) {
            ("", "") => "(no cgroup)",
            ("", cgroup) => cgroup,
            (from, _) => from,
        };
        [
            row.name.clone(),
            row.certainty.clone(),
            row.source.clone(),
            row.cgroups.to_string(),
            // A path or a file's name may have anything in it.
            from.chars()
                .map(|c| if c.is_control() { '?' } else { c })
                .collect(),
        ]
    });
    let headings = ["FUNCTION", "HOW SURE", "BY", "CGROUPS", "FROM"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(headings).chain(lines).collect();
    let width = |column: usize| {
        let widths = lines.iter().map(|line| text::width(&line[column]));
        widths.max().unwrap_or_default()
    };
    let widths = [0, 1, 2, 3].map(width);
    let mut printed = String::new();
    for [name, certainty, source, cgroups, from] in &lines {
        // Writing to a string cannot fail.
        let _ = writeln!(
            printed,
            "{}  {}  {}  {}  {from}",
            text::left(name, widths[0]),
            text::left(certainty, widths[1]),
            text::left(source, widths[2]),
            text::right(cgroups, widths[3]),
        );
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_line_that_says_from_where() {
        let row = |name: &str, from: &str, cgroup: &str| Recognised {
            name: name.to_owned(),
            source: "label".to_owned(),
            certainty: "declared".to_owned(),
            cgroups: 2,
            cgroup: cgroup.to_owned(),
            from: from.to_owned(),
        };
        let rows = [
            row("resize", "docker, label faas_function", "/docker/1"),
            row("f", "", "/a\x1b"),
            row("g", "", ""),
        ];
        assert_eq!(
            printed(&rows),
            "FUNCTION  HOW SURE  BY     CGROUPS  FROM\n\
             resize    declared  label        2  docker, label faas_function\n\
             f         declared  label        2  /a?\n\
             g         declared  label        2  (no cgroup)\n"
        );
    }
}
