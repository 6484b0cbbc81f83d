// SPDX-License-Identifier: GPL-2.0-only
//! Keeps the heap out of the processes that a process forks: they need none
//! of it, and to copy its page tables would make a fork's cost depend on how
//! long the trace is and how many rounds have been before.

use std::fs;
use std::ops::Range;

use anyhow::{Context, Result};

/// Larger pieces are kept outside the heap proper; this is as large as the C
/// library allows.
const PIECE_BYTES: i32 = 32 << 20;

/// Has memory that is allocated from now on lie in the heap, large pieces too.
pub fn gather() {
    // SAFETY: changes nothing but where memory is taken from.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, PIECE_BYTES) };
}

/// Where this process's heap lies; empty where it has none.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn range() -> Result<Range<usize>> {
    let maps = fs::read_to_string("/proc/self/maps").context("cannot read /proc/self/maps")?;
    Ok(maps.lines().find_map(heap_of).unwrap_or(0..0))
}

/// Leaves the heap at `range` out of all processes forked from now on; they
/// must not touch it. Safe after a fork.
pub fn leave_out(range: &Range<usize>) {
    // SAFETY: only what this process forks is changed, and its callers see to
    // it that they use no heap. A failure costs time only.
    unsafe {
        libc::madvise(
            range.start as *mut libc::c_void,
            range.len(),
            libc::MADV_DONTFORK,
        )
    };
}

fn heap_of(line: &str) -> Option<Range<usize>> {
    let range = line.strip_suffix("[heap]")?.split(' ').next()?;
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_is_found_by_its_name() {
        let line = "55eaa8c48000-55eaa8c8a000 rw-p 00000000 00:00 0                    [heap]";
        assert_eq!(heap_of(line), Some(0x55ea_a8c4_8000..0x55ea_a8c8_a000));
        assert_eq!(
            heap_of("7ffe66f3e000-7ffe66f5f000 rw-p 0 00:00 0 [stack]"),
            None
        );
        assert!(range().is_ok());
    }
}
