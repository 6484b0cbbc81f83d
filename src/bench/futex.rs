// SPDX-License-Identifier: GPL-2.0-only
//! Waiting for a word of shared memory to change; as safe after a fork as
//! any system call.

use std::ptr;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Acquire;

/// Sleeps while `word` is `value`; returns what it is then.
pub fn wait_while(word: &AtomicU32, value: u32) -> u32 {
    loop {
        let now = word.load(Acquire);
        if now != value {
            return now;
        }
        // SAFETY: the word is valid; without a time-out.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT,
                value,
                ptr::null::<libc::timespec>(),
            )
        };
    }
}

/// Wakes one that sleeps on `word`.
pub fn wake(word: &AtomicU32) {
    // SAFETY: the word is valid.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
