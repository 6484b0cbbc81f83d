// SPDX-License-Identifier: GPL-2.0-only
//! A list of CPUs as the kernel writes them: `0,2-3`.

use std::str::FromStr;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// CPUs to run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuList(Vec<usize>);

impl FromStr for CpuList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| format!("'{part}' is no CPU and no range; write 0,2-3");
        let mut cpus = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wrong(part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last || last >= CpuSet::count() {
                return Err(wrong(part));
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

impl CpuList {
    /// Keeps this process, and all threads it makes from now on, to these.
    ///
    /// # Errors
    /// When none of them may be used here.
    pub fn keep_to(&self) -> Result<()> {
        let mut set = CpuSet::new();
        for &cpu in &self.0 {
            set.set(cpu)?;
        }
        sched_setaffinity(Pid::from_raw(0), &set)
            .with_context(|| format!("none of the CPUs {:?} may be used here", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!("0".parse(), Ok(CpuList(vec![0])));
        assert_eq!("1-3,5".parse(), Ok(CpuList(vec![1, 2, 3, 5])));
        for text in ["", "a", "3-1", "1,", "-", "99999999999"] {
            assert!(text.parse::<CpuList>().is_err(), "{text}");
        }
    }
}
