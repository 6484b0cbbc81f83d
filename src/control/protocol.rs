// SPDX-License-Identifier: GPL-2.0-only
//! What goes over the control socket.

use scx_alps::learn::Change;
use scx_alps::policy::NamedTable;
use serde::{Deserialize, Serialize};

use super::explanation::Explanation;
use super::recognised::Recognised;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    On,
    Off,
    Toggle,
    Status,
    Functions,
    /// Which functions are known, from where and how surely.
    Recognised,
    /// Change how is learned; answered by the status.
    Set(Change),
    /// What was learned of the functions of this name: of one, or also of one
    /// recognised by what processes choose.
    Explain {
        function: String,
    },
    Policy,
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reply")]
pub enum Reply {
    Status(Status),
    Functions { rows: Vec<FunctionRow> },
    Recognised { rows: Vec<Recognised> },
    Explanations { functions: Vec<Explanation> },
    Policy { table: Box<NamedTable> },
    Refused { why: String },
}

/// The daemon's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether our order is in force; the kernel's own scheduler is otherwise.
    pub enforcing: bool,
    /// By what in the kernel: `ext` or `cfs`.
    pub engine: String,
    pub version: String,
    pub uptime_s: f64,
    pub cpus: usize,
    pub utilisation_percent: f64,
    /// Functions that have a slot in the policy table.
    pub functions: usize,
    /// Version of the policy table in force.
    pub policy_version: u64,
    pub predictor: String,
    /// Bias of one second of expected remaining service, in seconds, as it is
    /// in force; it may follow the load.
    pub bias_factor: f64,
    /// What is set about learning.
    pub settings: Box<Change>,
    pub invocations: u64,
    pub invocations_lost: u64,
    pub notices_lost: u64,
    pub preemptions: u64,
    /// How long the last round took in all, the publishing included.
    pub round_ms: f64,
    /// How long publishing a table took, at most so far.
    pub publish_max_ms: f64,
    /// How long the last switch on or off took.
    pub last_switch_ms: Option<f64>,
}

/// One function, as `top` shows it. Times are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionRow {
    pub name: String,
    /// By what it was recognised.
    pub source: String,
    /// Whether a tenant could choose to be taken for it.
    pub spoofable: bool,
    /// Invocations a second over the last seconds.
    pub rate_per_s: f64,
    /// Live invocations that run now.
    pub running: u32,
    /// Live invocations that wait for a CPU.
    pub waiting: u32,
    /// Invocations it was learned from.
    pub samples: u32,
    pub cpu_mean_ns: u64,
    pub cpu_p99_ns: u64,
    pub predicted_ns: u64,
    /// The bias of a new invocation.
    pub bias_ns: u64,
    /// 0: none of its own.
    pub slice_ns: u64,
    /// Arrival to first run, mean.
    pub wait_mean_ns: u64,
    /// Response over CPU time, mean.
    pub slowdown_mean: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_goes_over_the_socket_with_what_it_changes() {
        let change = Change {
            ml: Some("gittins".to_owned()),
            alpha: Some(1.5),
            ..Change::default()
        };
        let text = serde_json::to_string(&Command::Set(change.clone())).unwrap();
        assert_eq!(
            serde_json::from_str::<Command>(&text).unwrap(),
            Command::Set(change)
        );
        let short = r#"{"command": "set", "overload": false}"#;
        let Command::Set(change) = serde_json::from_str(short).unwrap() else {
            panic!("not taken for 'set'");
        };
        assert_eq!(change.overload, Some(false));
    }

    #[test]
    fn a_change_of_what_there_is_not_is_refused() {
        let text = r#"{"command": "set", "alfa": 2}"#;
        assert!(serde_json::from_str::<Command>(text).is_err());
    }
}
