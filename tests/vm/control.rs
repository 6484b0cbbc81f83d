// SPDX-License-Identifier: GPL-2.0-only
//! The daemon's control socket: one JSON line each way.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Longer than the daemon takes to load its programs.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A JSON object of an answer.
#[derive(Clone, Debug)]
pub struct Object(Value);

impl Object {
    pub fn number(&self, field: &str) -> Result<f64> {
        self.get(field, Value::as_f64)
    }

    pub fn count(&self, field: &str) -> Result<u64> {
        self.get(field, Value::as_u64)
    }

    pub fn flag(&self, field: &str) -> Result<bool> {
        self.get(field, Value::as_bool)
    }

    pub fn text(&self, field: &str) -> Result<&str> {
        self.get(field, Value::as_str)
    }

    /// A field in nanoseconds.
    pub fn time(&self, field: &str) -> Result<Duration> {
        self.count(field).map(Duration::from_nanos)
    }

    fn get<'a, T>(&'a self, field: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<T> {
        read(&self.0[field])
            .with_context(|| format!("expected a useful '{field}' and saw {}", self.0))
    }
}

/// Ask for `status`, `on`, `off` or `toggle`.
pub fn command(socket: &Path, command: &str) -> Result<Object> {
    let answer = ask(socket, command)?;
    if answer["reply"] != "status" {
        bail!("expected a status as the answer to '{command}' and saw {answer}");
    }
    Ok(Object(answer))
}

/// Ask for all functions' rows: `functions` or `recognised`.
pub fn rows(socket: &Path, command: &str) -> Result<Vec<Object>> {
    let mut answer = ask(socket, command)?;
    match answer["rows"].take() {
        Value::Array(rows) => Ok(rows.into_iter().map(Object).collect()),
        _ => bail!("expected rows of functions and saw {answer}"),
    }
}

fn ask(socket: &Path, command: &str) -> Result<Value> {
    let mut stream = UnixStream::connect(socket).context("cannot reach the daemon")?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    writeln!(stream, "{}", json!({ "command": command }))?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .with_context(|| format!("the daemon did not answer '{command}'"))?;
    serde_json::from_str(&line).with_context(|| format!("the daemon answered '{line}'"))
}
