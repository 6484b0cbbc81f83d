// SPDX-License-Identifier: GPL-2.0-only
//! What a process says of itself, as `/proc` gives it.
//!
//! A process can change all of it, so a tenant decides what these facts say.
//! What is looked at is bounded: nobody slows identification down with a
//! command line of two megabytes.

use std::borrow::Cow;
use std::collections::HashMap;

/// The longest comm of a process, in bytes; the kernel cuts off the rest.
pub const COMM_BYTES: usize = 15;

/// How much is looked at of a command line, or of the value of an environment
/// variable, in bytes.
pub const FACT_BYTES: usize = 4096;

/// How much is looked at of an environment, in bytes. There is no need to
/// read more.
pub const ENVIRON_BYTES: usize = 64 * 1024;

/// What rules can go by. A fact that is empty is not known, and no rule
/// matches it: kernel threads, for one, have no command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessFacts<'a> {
    /// The cgroup's path in the v2 hierarchy, as for
    /// [`Rules::of_cgroup`](super::Rules::of_cgroup).
    pub cgroup: &'a str,
    /// `/proc/PID/comm`, with or without the newline at its end.
    pub comm: &'a [u8],
    /// `/proc/PID/cmdline`: arguments, a NUL after each.
    pub cmdline: &'a [u8],
    /// `/proc/PID/environ`: variables, a NUL after each.
    pub environ: &'a [u8],
}

impl<'a> ProcessFacts<'a> {
    pub(super) fn comm(&self) -> Option<&'a [u8]> {
        known(self.comm.strip_suffix(b"\n").unwrap_or(self.comm))
    }

    /// The arguments, joined by single spaces.
    pub(super) fn command_line(&self) -> Option<Cow<'a, [u8]>> {
        let arguments = self.cmdline.get(..FACT_BYTES).unwrap_or(self.cmdline);
        let end = arguments.iter().rposition(|&byte| byte != 0)?;
        let arguments = &arguments[..=end];
        Some(if arguments.contains(&0) {
            let spaced = |&byte: &u8| if byte == 0 { b' ' } else { byte };
            Cow::Owned(arguments.iter().map(spaced).collect())
        } else {
            Cow::Borrowed(arguments)
        })
    }

    /// The variables and their values. Where a variable is set twice the
    /// first holds, as it does for getenv(3).
    pub(super) fn variables(&self) -> HashMap<&'a [u8], &'a [u8]> {
        let environ = self.environ.get(..ENVIRON_BYTES).unwrap_or(self.environ);
        let mut variables = HashMap::new();
        for entry in environ.split(|&byte| byte == 0) {
            if let Some(equals) = entry.iter().position(|&byte| byte == b'=') {
                let value = &entry[equals + 1..];
                variables
                    .entry(&entry[..equals])
                    .or_insert(value.get(..FACT_BYTES).unwrap_or(value));
            }
        }
        variables
    }
}

fn known(fact: &[u8]) -> Option<&[u8]> {
    (!fact.is_empty()).then_some(fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_joined_by_spaces() {
        let joined = |cmdline: &'static [u8]| {
            let facts = ProcessFacts {
                cmdline,
                ..Default::default()
            };
            facts.command_line().map(Cow::into_owned)
        };
        assert_eq!(joined(b"a\0b c\0"), Some(b"a b c".to_vec()));
        assert_eq!(joined(b"a\0\0b\0\0"), Some(b"a  b".to_vec()));
        assert_eq!(
            joined(b"title set by itself"),
            Some(b"title set by itself".to_vec())
        );
        assert_eq!(joined(b"\0\0"), None);
        assert_eq!(joined(b""), None);
    }

    #[test]
    fn the_first_of_two_equal_variables_holds() {
        let facts = ProcessFacts {
            environ: b"A=1\0nothing\0B=x=y\0A=2\0C=",
            ..Default::default()
        };
        let variables = facts.variables();
        assert_eq!(variables.len(), 3);
        assert_eq!(variables.get(&b"A"[..]), Some(&&b"1"[..]));
        assert_eq!(variables.get(&b"B"[..]), Some(&&b"x=y"[..]));
        assert_eq!(variables.get(&b"C"[..]), Some(&&b""[..]));
    }

    #[test]
    fn a_comm_may_end_with_a_newline() {
        let comm = |comm| {
            ProcessFacts {
                comm,
                ..Default::default()
            }
            .comm()
        };
        assert_eq!(comm(b"python3\n"), Some(&b"python3"[..]));
        assert_eq!(comm(b"python3"), Some(&b"python3"[..]));
        assert_eq!(comm(b"\n"), None);
    }

    #[test]
    fn what_is_looked_at_is_bounded() {
        let long = vec![b'a'; 2 * ENVIRON_BYTES];
        let mut environ = b"A=".to_vec();
        environ.extend_from_slice(&long);
        let facts = ProcessFacts {
            cmdline: &long,
            environ: &environ,
            ..Default::default()
        };
        assert_eq!(
            facts.command_line().map(|line| line.len()),
            Some(FACT_BYTES)
        );
        assert_eq!(facts.variables()[&b"A"[..]].len(), FACT_BYTES);
    }
}
