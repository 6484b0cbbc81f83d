// SPDX-License-Identifier: GPL-2.0-only
//! Memory that a process shares with those it forks.

use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;

use anyhow::{Context, Result};

/// Types of which any bytes, zero bytes too, are a value, and which change
/// only by atomic operations.
///
/// # Safety
/// Both must hold.
pub unsafe trait Board: Sync {}

/// A `T` of zero bytes that children forked from now on see, too.
pub struct Shared<T: Board> {
    memory: NonNull<T>,
}

impl<T: Board> Shared<T> {
    pub fn new() -> Result<Self> {
        let bytes = NonZeroUsize::new(size_of::<T>()).context("nothing to share")?;
        // SAFETY: a fresh anonymous mapping collides with nothing.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes.get(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error()).context("cannot map shared memory");
        }
        let memory = NonNull::new(memory.cast()).context("memory was mapped at 0")?;
        Ok(Self { memory })
    }
}

impl<T: Board> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: mapped for as long as self lives, aligned to a page, and
        // the zero bytes it began as are a value of T.
        unsafe { self.memory.as_ref() }
    }
}

impl<T: Board> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and nobody borrows it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), size_of::<T>()) };
    }
}
