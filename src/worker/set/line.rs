// SPDX-License-Identifier: GPL-2.0-only
//! The file of a set of workers, as the original has it: a line a worker,
//! `worker1 5001 1 floatOperation1`, which is its name, its port, its
//! function's UID and its function.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use scx_alps::platform::openlambda::check_name;

/// One worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub worker: String,
    pub port: u16,
    pub uid: u32,
    pub function: String,
}

/// Reads such a file's text. Empty lines and those that begin with `#` do not
/// count.
///
/// # Errors
/// With file and line, what makes no sense, and two workers with the same
/// name or port or two functions with the same UID.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut taken: HashMap<String, String> = HashMap::new();
    for (number, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let place = || format!("{}:{number}", file.display());
        let line = line(text).with_context(place)?;
        let mut sole = |what: String, owner: &str| {
            let before = taken
                .entry(what.clone())
                .or_insert_with(|| owner.to_owned());
            ensure!(
                before == owner,
                "{}: {what} is taken by {before} already",
                place()
            );
            Ok(())
        };
        let own = format!("line {number}");
        sole(format!("the worker {}", line.worker), &own)?;
        sole(format!("port {}", line.port), &own)?;
        sole(format!("UID {}", line.uid), &line.function)?;
        lines.push(line);
    }
    ensure!(
        !lines.is_empty(),
        "{}: no worker; write lines such as 'worker1 5001 1 floatOperation1'",
        file.display()
    );
    Ok(lines)
}

fn line(text: &str) -> Result<Line> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [worker, port, uid, function] = fields[..] else {
        anyhow::bail!(
            "{} fields where there are 4; write 'worker1 5001 1 floatOperation1'",
            fields.len()
        );
    };
    for name in [worker, function] {
        check_name(name).map_err(anyhow::Error::msg)?;
    }
    let port = port.parse().ok().filter(|&port: &u16| port > 0);
    Ok(Line {
        worker: worker.to_owned(),
        port: port.context("the port must be 1 to 65535")?,
        uid: uid.parse().context("the UID must be a whole number")?,
        function: function.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<Line>> {
        parse(Path::new("worker_config"), text)
    }

    #[test]
    fn the_published_form_is_read() {
        let lines = read(
            "worker1 5001 1 floatOperation1\n\n# two of one\nworker2 5002 2 fib\nworker3 5003 2 fib\n",
        );
        let lines = lines.unwrap();
        assert_eq!(lines.len(), 3);
        let first = Line {
            worker: "worker1".into(),
            port: 5001,
            uid: 1,
            function: "floatOperation1".into(),
        };
        assert_eq!(lines[0], first);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (text, what) in [
            ("", "no worker"),
            ("w 5001 1", "worker_config:1: 3 fields"),
            ("w 0 1 f", "the port"),
            ("w 70000 1 f", "the port"),
            ("w 5001 -1 f", "the UID"),
            ("../w 5001 1 f", "worker_config:1"),
            ("w 5001 1 a/b", "worker_config:1"),
            ("w 5001 1 f\nw 5002 2 g", "worker_config:2: the worker w"),
            ("w 5001 1 f\nv 5001 2 g", "worker_config:2: port 5001"),
            ("w 5001 1 f\nv 5002 1 g", "worker_config:2: UID 1"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(what), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_a_set_or_an_error(text in "[ -~\n]{0,200}") {
            let _ = read(&text);
        }
    }
}
