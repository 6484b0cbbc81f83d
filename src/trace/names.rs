// SPDX-License-Identifier: GPL-2.0-only
//! The functions of a recording, numbered as they come up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::error::{Complaint, quoted};

/// The most functions a recording may have.
pub const MAX_FUNCTIONS: usize = 1 << 18;

/// The longest name a function may have: what leaves room for more in the
/// name of a folder.
pub const MAX_NAME_BYTES: usize = 200;

/// Names, each with its number.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    /// The number of the function called `name`.
    ///
    /// # Errors
    /// When it cannot be a function's name, or there are too many.
    pub fn number(&mut self, name: &str) -> Result<u32, Complaint> {
        if let Some(&number) = self.numbers.get(name) {
            return Ok(number);
        }
        check(name).map_err(|why| (why, ADVICE))?;
        if self.names.len() >= MAX_FUNCTIONS {
            return Err((
                format!("more than {MAX_FUNCTIONS} functions"),
                "read a part with --from and --seconds",
            ));
        }
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        Ok(number)
    }

    /// The number of the function that is known by `key` and shown under the
    /// shorter name `short`, or the key's where another has that already.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn shortened(&mut self, key: &str, short: &str) -> Result<u32, Complaint> {
        if let Some(&number) = self.numbers.get(key) {
            return Ok(number);
        }
        let number = match self.numbers.entry(short.to_owned()) {
            Entry::Occupied(_) => return self.number(key),
            Entry::Vacant(_) => self.number(short)?,
        };
        self.numbers.insert(key.to_owned(), number);
        Ok(number)
    }

    /// All names, in the order of their numbers.
    pub fn into_vec(self) -> Vec<String> {
        self.names
    }
}

/// A function's name becomes a folder's when it is run.
fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the function has no name".into());
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(format!(
            "the function's name {} is longer than {MAX_NAME_BYTES} bytes",
            quoted(name)
        ));
    }
    let unfit = |c: char| c == '/' || c.is_control() || c.is_whitespace();
    if name.starts_with('.') || name.contains(unfit) {
        return Err(format!(
            "the function's name {} begins with a dot or has a slash, blank or control character",
            quoted(name)
        ));
    }
    Ok(())
}

/// What to do about a name that is none.
const ADVICE: &str = "name functions by letters, digits and signs such as -, _ and @";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_in_their_order() {
        let mut names = Names::default();
        assert_eq!(names.number("b"), Ok(0));
        assert_eq!(names.number("a"), Ok(1));
        assert_eq!(names.number("b"), Ok(0));
        assert_eq!(names.into_vec(), ["b", "a"]);
    }

    #[test]
    fn a_short_name_stands_for_one_key_only() {
        let mut names = Names::default();
        assert_eq!(names.shortened("abcd", "ab"), Ok(0));
        assert_eq!(names.shortened("abef", "ab"), Ok(1));
        assert_eq!(names.shortened("abcd", "ab"), Ok(0));
        assert_eq!(names.into_vec(), ["ab", "abef"]);
    }

    #[test]
    fn what_could_be_no_folder_is_no_name() {
        let mut names = Names::default();
        for name in ["", "..", ".a", "../a", "a/b", "a b", "a\n", "a\0"] {
            assert!(names.number(name).is_err(), "{name:?}");
        }
        assert!(names.number(&"x".repeat(MAX_NAME_BYTES + 1)).is_err());
        assert!(names.number("été_2@v1-b.c").is_ok());
    }
}
