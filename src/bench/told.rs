// SPDX-License-Identifier: GPL-2.0-only
//! Telling the kernel side how much CPU time an invocation will take, for
//! the rounds of the oracle (`src/bpf/told.bpf.h`). Safe after a fork.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use libbpf_rs::libbpf_sys;

/// Where a daemon started with `--told` pins the map.
const PIN: &CStr = c"/sys/fs/bpf/scx_alps/told";

/// The map of what was told and not heard yet.
pub struct Told {
    map: OwnedFd,
}

impl Told {
    /// # Errors
    /// The error number, when no daemon that listens is running.
    pub fn open() -> Result<Self, i32> {
        // SAFETY: the path is closed by a zero byte.
        match unsafe { libbpf_sys::bpf_obj_get(PIN.as_ptr()) } {
            error @ ..0 => Err(-error),
            // SAFETY: a new descriptor that nobody else owns.
            fd => Ok(Self {
                map: unsafe { OwnedFd::from_raw_fd(fd) },
            }),
        }
    }

    /// The process `pid` will fork, or be woken for, an invocation that takes
    /// `cpu_ns`; to be said before it is.
    ///
    /// # Errors
    /// The error number of the system call.
    pub fn tell(&self, pid: libc::pid_t, cpu_ns: u64) -> Result<(), i32> {
        // SAFETY: key and value have the sizes the map was made with.
        let error = unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.map.as_raw_fd(),
                ptr::from_ref(&pid).cast(),
                ptr::from_ref(&cpu_ns).cast(),
                u64::from(libbpf_sys::BPF_ANY),
            )
        };
        if error < 0 { Err(-error) } else { Ok(()) }
    }
}
