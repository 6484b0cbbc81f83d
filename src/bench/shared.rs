// SPDX-License-Identifier: GPL-2.0-only
//! Memory that a process shares with those it forks.

use std::io;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Types that several processes may use at once and that are valid as zeros.
///
/// # Safety
/// All-zero memory is a value of the type, every change of it through a
/// shared reference is atomic, and it holds no pointer and needs no drop.
pub unsafe trait Shareable: Sync {}

// SAFETY: an atomic integer.
unsafe impl Shareable for AtomicU64 {}
// SAFETY: an atomic integer.
unsafe impl Shareable for AtomicU32 {}

/// A slice of zeroed values that stays the same memory after a fork.
pub struct Shared<T: Shareable> {
    base: NonNull<T>,
    len: usize,
}

/// A slice of values that processes forked later find in the same memory,
/// outside the heap. Nobody changes it.
pub struct SharedCopy<T: Copy> {
    bytes: Shared<AtomicU64>,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Copy> SharedCopy<T> {
    /// Copies `values`.
    pub fn of(values: &[T]) -> io::Result<Self> {
        const { assert!(align_of::<T>() <= align_of::<AtomicU64>()) };
        let bytes = Shared::<AtomicU64>::new(size_of_val(values).div_ceil(size_of::<AtomicU64>()))?;
        // SAFETY: the mapping is new, large enough and aligned to a page.
        unsafe {
            ptr::copy_nonoverlapping(values.as_ptr(), bytes.base.as_ptr().cast(), values.len())
        };
        Ok(Self {
            bytes,
            len: values.len(),
            of: PhantomData,
        })
    }
}

impl<T: Copy> Deref for SharedCopy<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `of` has put `len` values there, which nobody changes and
        // which live as long as `self`.
        unsafe { slice::from_raw_parts(self.bytes.base.as_ptr().cast(), self.len) }
    }
}

impl<T: Shareable> Shared<T> {
    /// Maps `len` values, at least one.
    pub fn new(len: usize) -> io::Result<Self> {
        let len = len.max(1);
        let bytes = len
            .checked_mul(size_of::<T>())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new anonymous mapping touches no existing memory.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }
}

impl<T: Shareable> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the mapping holds `len` values that zeros made valid, is
        // page-aligned and lives as long as `self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl<T: Shareable> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and no reference is left.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len * size_of::<T>()) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn starts_as_zeros() {
        let shared = Shared::<AtomicU64>::new(1000).unwrap();
        assert_eq!(shared.len(), 1000);
        assert!(shared.iter().all(|value| value.load(Relaxed) == 0));
        shared[999].store(7, Relaxed);
        assert_eq!(shared[999].load(Relaxed), 7);
    }

    #[test]
    fn copies_are_what_was_copied() {
        let values = [(1u32, 2u8), (3, 4), (5, 6)];
        assert_eq!(*SharedCopy::of(&values).unwrap(), values);
        assert!(SharedCopy::<u8>::of(&[]).unwrap().is_empty());
    }
}
