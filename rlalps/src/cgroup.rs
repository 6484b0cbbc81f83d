// SPDX-License-Identifier: GPL-2.0-only
//! Which cgroup a task is in, by its id, without allocating.

use std::io::Write;

use libc::{O_CLOEXEC, O_RDONLY, c_char};

/// Paths of cgroups may be as long as any path.
const TEXT_BYTES: usize = 4096 + 64;

/// Reads `/proc/PID/cgroup`.
pub struct Reader {
    text: Box<[u8; TEXT_BYTES]>,
}

impl Reader {
    pub fn new() -> Self {
        Self {
            text: Box::new([0; TEXT_BYTES]),
        }
    }

    /// The path of the task's cgroup in the v2 hierarchy, beginning with `/`;
    /// `None` where the task is gone.
    pub fn path(&mut self, pid: i32) -> Option<&[u8]> {
        let mut name = [0; 32];
        // The closing zero byte is there because the name is shorter.
        write!(&mut name[..31], "/proc/{pid}/cgroup").ok()?;
        // SAFETY: the name is closed by a zero byte.
        let file = unsafe { libc::open(name.as_ptr().cast::<c_char>(), O_RDONLY | O_CLOEXEC) };
        if file < 0 {
            return None;
        }
        // SAFETY: the buffer is as long as said, and the file is ours to close.
        let length = unsafe {
            let length = libc::read(file, self.text.as_mut_ptr().cast(), TEXT_BYTES);
            libc::close(file);
            length
        };
        let length = usize::try_from(length).ok().filter(|&length| length > 0)?;
        unified(&self.text[..length])
    }
}

/// The path on the v2 hierarchy's line.
fn unified(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.split(|&byte| byte == b'\n');
    lines.find_map(|line| line.strip_prefix(b"0::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_unified_hierarchy_counts() {
        let hybrid = b"12:cpu:/old\n1:name=systemd:/x\n0::/pods/a:b\n";
        assert_eq!(unified(hybrid), Some(&b"/pods/a:b"[..]));
        assert_eq!(unified(b"0::/\n"), Some(&b"/"[..]));
        assert_eq!(unified(b"4:cpu:/only/v1\n"), None);
    }

    #[test]
    fn our_own_cgroup_is_found_and_that_of_nobody_is_not() {
        let mut reader = Reader::new();
        let own = std::fs::read("/proc/self/cgroup").unwrap();
        let expected = unified(&own).map(<[u8]>::to_vec);
        let pid = std::process::id() as i32;
        assert_eq!(reader.path(pid).map(<[u8]>::to_vec), expected);
        assert_eq!(reader.path(i32::MAX), None);
    }
}
