// SPDX-License-Identifier: GPL-2.0-only
//! Names of functions and workers: they become parts of URLs, of paths in the
//! registry and of cgroups.

use std::fmt;

/// With what a cgroup's name may have, 255 bytes, to spare.
const MAX_BYTES: usize = 100;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    Empty,
    Long,
    LeadingDot,
    Characters,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name must not be empty"),
            Self::Long => write!(f, "a name has at most {MAX_BYTES} characters"),
            Self::LeadingDot => f.write_str("a name does not begin with a dot"),
            Self::Characters => {
                f.write_str("a name consists of letters and digits of ASCII, '.', '-' and '_'")
            }
        }
    }
}

impl std::error::Error for BadName {}

/// # Errors
/// When `name` cannot be the name of a function or a worker.
pub fn check(name: &str) -> Result<(), BadName> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() {
        Err(BadName::Empty)
    } else if name.len() > MAX_BYTES {
        Err(BadName::Long)
    } else if name.starts_with('.') {
        Err(BadName::LeadingDot)
    } else if !name.bytes().all(fits) {
        Err(BadName::Characters)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        for name in ["fib", "floatOperation1", "a.b-c_d", "7"] {
            assert_eq!(check(name), Ok(()));
        }
        for name in ["", "..", ".", ".x", "a/b", "a\nb", "a\0", "%2e", "é", "a b"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert_eq!(check(&"x".repeat(101)), Err(BadName::Long));
    }
}
