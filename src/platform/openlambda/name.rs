// SPDX-License-Identifier: GPL-2.0-only
//! Which names a function may have in a worker's configuration.

use crate::identify::printable::is_printable;

/// The longest name, in bytes.
pub const MAX_FUNCTION_NAME_BYTES: usize = 128;

/// Whether a function may be called `name`: the name becomes a segment of
/// URLs, of folders and of cgroups, and nothing else.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.len() > MAX_FUNCTION_NAME_BYTES {
        return Err(format!(
            "the name has {} bytes, more than {MAX_FUNCTION_NAME_BYTES}",
            name.len()
        ));
    }
    if name.starts_with('.') {
        return Err(format!("{name:?} begins with a dot"));
    }
    match name
        .chars()
        .find(|&c| c == '/' || c == '\\' || c.is_whitespace() || !is_printable(c))
    {
        Some(c) => Err(format!("{name:?} has {c:?} in it")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_that_prints() {
        for name in ["fib", "floatOperation1", "a.b-c_d", "größe"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(MAX_FUNCTION_NAME_BYTES + 1);
        for name in [
            "",
            ".",
            "..",
            ".git",
            "a/b",
            "/a",
            "a\\b",
            "a b",
            "a\n",
            "a\0",
            "a\u{202e}b",
            &long,
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
