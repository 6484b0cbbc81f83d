// SPDX-License-Identifier: GPL-2.0-only
//! Which function a task belongs to.
//!
//! Without configuration each leaf cgroup is a function. A file of rules
//! merges cgroups, or goes by what a process says of itself. A function that
//! is known has a slot in the [`Registry`], and only the slot's number goes
//! to the kernel: all strings stay on this side.
//!
//! `docs/functions.md` describes the file for those who write one.

mod facts;
mod identity;
mod labels;
mod name;
mod near;
mod pattern;
pub(crate) mod printable;
mod registry;
mod rule_error;
mod rule_file;
mod rules;
mod syntax;
mod template;

pub use facts::{COMM_BYTES, ENVIRON_BYTES, FACT_BYTES, ProcessFacts};
pub use identity::{Certainty, CgroupIdentity, Identity, Source};
pub use labels::{LabelKey, LabelKeys, Labels, MAX_LABEL_KEYS, is_part};
pub use name::{FunctionName, MAX_NAME_BYTES};
pub use near::near;
pub use pattern::{MAX_PATTERN_BYTES, Pattern};
pub use registry::Registry;
pub use rule_error::RuleError;
pub use rule_file::MAX_RULES;
pub use rules::Rules;
pub use syntax::SyntaxError;
