// SPDX-License-Identifier: GPL-2.0-only
//! Both halves of the policy table, as the BPF programs see them, mapped into
//! this process: a full table is written without a system call.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{Ordering, fence};

use anyhow::{Context, Result};
use scx_alps::invocation::FunctionId;
use scx_alps::policy::PolicyEntry;

use super::intf;

const ENTRIES: usize = 2 * FunctionId::CAPACITY;
const BYTES: usize = ENTRIES * size_of::<intf::policy_entry>();

/// The kernel spaces an array's values at multiples of 8 bytes.
const _: () = assert!(size_of::<intf::policy_entry>().is_multiple_of(8));

pub struct Published {
    entries: NonNull<intf::policy_entry>,
}

impl Published {
    /// Maps the array `policy`, which must be BPF_F_MMAPABLE.
    pub fn map(policy: BorrowedFd<'_>) -> Result<Self> {
        // SAFETY: a new mapping, wherever the kernel puts it.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                policy.as_raw_fd(),
                0,
            )
        };
        let entries = (address != libc::MAP_FAILED)
            .then(|| NonNull::new(address.cast()))
            .flatten()
            .ok_or_else(io::Error::last_os_error)
            .context("cannot map the policy table")?;
        Ok(Self { entries })
    }

    /// Brings an entry of the half that is not in force up to date.
    pub fn write(&mut self, half: usize, slot: usize, entry: &PolicyEntry) {
        let index = (half & 1) * FunctionId::CAPACITY + slot % FunctionId::CAPACITY;
        // SAFETY: the index is below ENTRIES, which the mapping holds, and
        // nobody else writes there. Readers in the kernel look at the version
        // again and discard what they saw of a half that was being written.
        unsafe {
            let place = self.entries.as_ptr().add(index);
            if !holds(&*place, entry) {
                place.write_volatile(intf::policy_entry::from(entry));
            }
        }
    }

    /// What was written before is seen before what is written after: a half's
    /// entries, the version, the other half's entries.
    pub fn in_order(&self) {
        fence(Ordering::SeqCst);
    }
}

fn holds(published: &intf::policy_entry, entry: &PolicyEntry) -> bool {
    published.slice_ns == entry.slice_ns
        && published.predicted_ns == entry.predicted_ns
        && published.rank == entry.rank
        && published.samples == entry.samples
        && published.bias_ns == entry.bias_ns
}

impl From<&PolicyEntry> for intf::policy_entry {
    fn from(entry: &PolicyEntry) -> Self {
        Self {
            bias_ns: entry.bias_ns,
            slice_ns: entry.slice_ns,
            predicted_ns: entry.predicted_ns,
            rank: entry.rank,
            samples: entry.samples,
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which nobody uses any more.
        unsafe { libc::munmap(self.entries.as_ptr().cast(), BYTES) };
    }
}
