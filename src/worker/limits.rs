// SPDX-License-Identifier: GPL-2.0-only
//! What a function may use.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use scx_alps::platform::openlambda::{self, WorkerConfig};
use serde::Deserialize;
use serde_json::Value;

const MIB: u64 = 1 << 20;
const KIB: u64 = 1 << 10;

/// Limits of one function. Memory and processes are those of all its
/// invocations together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Invocations that run at once.
    pub concurrency: usize,
    /// Requests that wait for their turn.
    pub queue: usize,
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Wall time of an invocation, from the start of its process.
    pub time: Duration,
    /// Longest request body.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// Longest answer.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 64,
            queue: 1024,
            memory_bytes: 1024 * MIB,
            processes: 512,
            time: Duration::from_secs(60),
            body_bytes: MIB as usize,
            body_time: Duration::from_secs(30),
            answer_bytes: MIB as usize,
        }
    }
}

/// What `limits` may have beside OpenLambda's `mem_mb`, `procs`,
/// `max_runtime_default` and `runtime_sec`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct More {
    concurrency: Option<u64>,
    queue: Option<u64>,
    body_kb: Option<u64>,
    body_sec: Option<u64>,
    answer_kb: Option<u64>,
}

impl Limits {
    /// These with what the `limits` of `document` say, which belongs to `file`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn changed(self, document: &Value, file: &str) -> Result<Self> {
        let config = WorkerConfig::parse(document.to_string().as_bytes(), file)?;
        let openlambda::Limits {
            procs,
            mem_mb,
            max_runtime_default,
            runtime_sec,
            ..
        } = config.limits;
        let more = match document.get("limits") {
            None | Some(Value::Null) => More::default(),
            Some(limits) => More::deserialize(limits).with_context(|| format!("{file}: limits"))?,
        };
        let within = |key: &str, value: Option<u64>, low: u64, high: u64| {
            ensure!(
                value.is_none_or(|value| (low..=high).contains(&value)),
                "{file}: limits.{key} must be {low} to {high}"
            );
            Ok(value.and_then(|value| usize::try_from(value).ok()))
        };
        let kib = |kib: usize| kib * KIB as usize;
        Ok(Self {
            concurrency: within("concurrency", more.concurrency, 1, 100_000)?
                .unwrap_or(self.concurrency),
            queue: within("queue", more.queue, 0, 1_000_000)?.unwrap_or(self.queue),
            memory_bytes: mem_mb.map_or(self.memory_bytes, |mib| mib * MIB),
            processes: procs.unwrap_or(self.processes),
            time: runtime_sec
                .or(max_runtime_default)
                .map_or(self.time, Duration::from_secs),
            body_bytes: within("body_kb", more.body_kb, 1, MIB)?.map_or(self.body_bytes, kib),
            body_time: within("body_sec", more.body_sec, 1, 3600)?
                .map_or(self.body_time, |seconds| {
                    Duration::from_secs(seconds as u64)
                }),
            answer_bytes: within("answer_kb", more.answer_kb, 1, MIB)?
                .map_or(self.answer_bytes, kib),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(limits: Value) -> Result<Limits> {
        Limits::default().changed(&json!({"limits": limits}), "f")
    }

    #[test]
    fn what_is_written_counts() {
        let limits = read(json!({"mem_mb": 50, "max_runtime_default": 5, "queue": 0})).unwrap();
        assert_eq!(
            limits,
            Limits {
                memory_bytes: 50 * MIB,
                time: Duration::from_secs(5),
                queue: 0,
                ..Limits::default()
            }
        );
        assert_eq!(read(Value::Null).unwrap(), Limits::default());
    }

    #[test]
    fn impossible_limits_are_refused() {
        for limits in [
            json!({"concurrency": 0}),
            json!({"concurrency": "many"}),
            json!({"mem_mb": -1}),
            json!({"procs": u64::MAX}),
            json!({"max_runtime_default": "soon"}),
            json!({"answer_kb": u64::MAX}),
            json!({"body_sec": 0}),
            json!([]),
        ] {
            assert!(read(limits.clone()).is_err(), "{limits}");
        }
    }
}
