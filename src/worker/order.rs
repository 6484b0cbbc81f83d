// SPDX-License-Identifier: GPL-2.0-only
//! What the worker asks of its forker, and what comes back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message to the forker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// With the new process's standard input, output and error, and where it
    /// is to be born in a cgroup, that.
    Start(Start),
    /// To an interpreter: a request, with the process's standard input, output
    /// and error.
    Run { job: u64 },
    /// Kill the job's process and its process group.
    Kill { job: u64 },
}

/// A process to be started.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    pub job: u64,
    /// The process's name, cut to what fits.
    pub name: String,
    pub work: Work,
    /// Who it becomes; `None`: whoever the worker is.
    pub uid: Option<u32>,
    /// Most bytes of address space; `None`: a cgroup limits its memory.
    pub address_space: Option<u64>,
    /// Most processes of its user.
    pub processes: Option<u64>,
}

/// What it does.
#[derive(Debug, Serialize, Deserialize)]
pub enum Work {
    Builtin {
        name: String,
        n: u64,
        id: Option<Value>,
    },
    Executable(PathBuf),
    /// A Python interpreter that has the file loaded and takes requests.
    /// Its socket is its standard input.
    Interpreter(PathBuf),
}

/// How a job has ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ending {
    pub job: u64,
    pub status: Status,
    /// On the monotonic clock: when its process was there.
    pub start_ns: u64,
    pub end_ns: u64,
    pub cpu_ns: u64,
    /// How often it was switched out.
    pub switches: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Exited(i32),
    Signalled(i32),
    /// It could not be started: the error's number.
    NotStarted(i32),
}

impl Ending {
    /// Of a job that never was a process.
    pub fn not_started(job: u64, errno: i32) -> Self {
        Self {
            job,
            status: Status::NotStarted(errno),
            start_ns: 0,
            end_ns: 0,
            cpu_ns: 0,
            switches: 0,
        }
    }
}
