// SPDX-License-Identifier: GPL-2.0-only
//! What a function may use.

use std::time::Duration;

use serde::Deserialize;

const MIB: u64 = 1 << 20;

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
            answer_bytes: MIB as usize,
        }
    }
}

/// The `limits` of a configuration: OpenLambda's `mem_mb`, `procs` and
/// `max_runtime_default`, and some more. What is not there is as it was.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Written {
    concurrency: Option<u64>,
    queue: Option<u64>,
    mem_mb: Option<u64>,
    procs: Option<u64>,
    /// In seconds.
    max_runtime_default: Option<f64>,
    body_kb: Option<u64>,
    answer_kb: Option<u64>,
}

impl Written {
    /// `limits` with what is written.
    ///
    /// # Errors
    /// Which value is out of its range.
    pub fn over(self, limits: Limits) -> Result<Limits, String> {
        let within = |key: &str, value: Option<u64>, low: u64, high: u64| match value {
            Some(value) if !(low..=high).contains(&value) => Err(format!(
                "limits.{key} is {value}; it must be {low} to {high}"
            )),
            value => Ok(value),
        };
        let bytes = |kb: u64| (kb * 1024) as usize;
        let time = match self.max_runtime_default {
            Some(s) if !(0.001..=86_400.0).contains(&s) => {
                return Err(format!(
                    "limits.max_runtime_default is {s}; it must be 0.001 to 86400 seconds"
                ));
            }
            seconds => seconds.map(Duration::from_secs_f64),
        };
        let concurrency = within("concurrency", self.concurrency, 1, 100_000)?;
        let queue = within("queue", self.queue, 0, 1_000_000)?;
        let memory = within("mem_mb", self.mem_mb, 1, 1 << 24)?;
        let processes = within("procs", self.procs, 1, 1 << 22)?;
        let body = within("body_kb", self.body_kb, 1, 1 << 20)?;
        let answer = within("answer_kb", self.answer_kb, 1, 1 << 20)?;
        Ok(Limits {
            concurrency: concurrency.map_or(limits.concurrency, |value| value as usize),
            queue: queue.map_or(limits.queue, |value| value as usize),
            memory_bytes: memory.map_or(limits.memory_bytes, |mib| mib * MIB),
            processes: processes.unwrap_or(limits.processes),
            time: time.unwrap_or(limits.time),
            body_bytes: body.map_or(limits.body_bytes, bytes),
            answer_bytes: answer.map_or(limits.answer_bytes, bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Limits, String> {
        let written: Written = serde_json::from_str(json).unwrap();
        written.over(Limits::default())
    }

    #[test]
    fn what_is_written_counts() {
        let limits = read(r#"{"mem_mb": 50, "max_runtime_default": 0.5, "swappiness": 0}"#);
        assert_eq!(
            limits.unwrap(),
            Limits {
                memory_bytes: 50 * MIB,
                time: Duration::from_millis(500),
                ..Limits::default()
            }
        );
    }

    #[test]
    fn impossible_limits_are_refused() {
        for json in [
            r#"{"concurrency": 0}"#,
            r#"{"mem_mb": 0}"#,
            r#"{"procs": 18446744073709551615}"#,
            r#"{"max_runtime_default": 0}"#,
            r#"{"max_runtime_default": 1e300}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
