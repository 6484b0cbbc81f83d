// SPDX-License-Identifier: GPL-2.0-only
//! Another scheduler, named by its command line.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Result, bail};

/// A program and its arguments, split as a shell would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
}

impl FromStr for CommandLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or("a quotation mark is missing")?;
        let mut words = words.into_iter();
        let program = words.next().ok_or("it names no program")?;
        Ok(Self {
            program,
            arguments: words.collect(),
        })
    }
}

impl CommandLine {
    /// For people: the program without its folder.
    pub fn name(&self) -> String {
        let program = Path::new(&self.program).file_name();
        program.map_or_else(
            || self.program.clone(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// For people: with its arguments, to tell it from others of its name.
    pub fn full_name(&self) -> String {
        let arguments = self.arguments.iter().map(String::as_str);
        let name = self.name();
        let words: Vec<&str> = std::iter::once(&*name).chain(arguments).collect();
        words.join(" ")
    }

    /// # Errors
    /// When there is no such program, or none that can be run.
    pub fn find(&self) -> Result<PathBuf> {
        let given = Path::new(&self.program);
        let candidates: Vec<PathBuf> = if self.program.contains('/') {
            vec![given.to_owned()]
        } else {
            let path = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&path).map(|dir| dir.join(given)).collect()
        };
        match candidates.into_iter().find(|file| is_program(file)) {
            Some(file) => Ok(file),
            None if self.program.contains('/') => {
                bail!("--versus: {} is no program that can be run", self.program)
            }
            None => bail!(
                "--versus: there is no program '{0}' in PATH; install it (cargo install {0}), \
                 or give its path",
                self.program
            ),
        }
    }

    /// To be started.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.find()?);
        command.args(&self.arguments);
        Ok(command)
    }
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> CommandLine {
        text.parse().unwrap()
    }

    #[test]
    fn words_are_split_as_by_a_shell() {
        let line = parse("/opt/bin/scx_other --slice '20 ms'  -v");
        assert_eq!(line.arguments, ["--slice", "20 ms", "-v"]);
        assert_eq!(line.name(), "scx_other");
        assert_eq!(line.full_name(), "scx_other --slice 20 ms -v");
        assert_eq!(parse("true").name(), "true");
    }

    #[test]
    fn what_is_no_command_line_is_refused() {
        for text in ["", "  ", "scx_other 'unclosed"] {
            assert!(text.parse::<CommandLine>().is_err(), "{text}");
        }
    }

    #[test]
    fn programs_are_looked_for() {
        assert!(parse("sh -c true").find().is_ok());
        let nowhere = parse("scx_nowhere -v").find().unwrap_err().to_string();
        assert!(nowhere.contains("no program 'scx_nowhere'"), "{nowhere}");
        let file = parse("/proc/version").find().unwrap_err().to_string();
        assert!(file.contains("/proc/version"), "{file}");
    }
}
