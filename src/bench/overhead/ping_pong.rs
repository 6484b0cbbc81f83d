// SPDX-License-Identifier: GPL-2.0-only
//! Two processes that wake each other in turn through pipes.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::Total;
use crate::bench::clock::{self, CPU, MONOTONIC};
use crate::bench::process::errno;

/// Round trips before the clock starts.
const WARM_UP: u64 = 100;

/// Measures `round_trips` of one byte to the other process and back.
///
/// # Errors
/// The error number of a system call.
pub fn run(round_trips: u64) -> Result<Total, i32> {
    let (ping_out, ping_in) = pipe()?;
    let (pong_out, pong_in) = pipe()?;
    // SAFETY: the child only reads, writes and exits.
    let other = unsafe { libc::fork() };
    if other == 0 {
        while transfer(&ping_out, &pong_in).is_ok() {}
        // SAFETY: ends the process without exit handlers.
        unsafe { libc::_exit(0) };
    }
    if other < 0 {
        return Err(errno());
    }
    let mut others_cpu = 0;
    // SAFETY: `others_cpu` is valid for writing.
    match unsafe { libc::clock_getcpuclockid(other, &mut others_cpu) } {
        0 => (),
        number => return Err(number),
    }

    let trip = || {
        write(&ping_in)?;
        read(&pong_out)
    };
    let cpu_ns = || clock::now_ns(CPU) + clock::now_ns(others_cpu);
    for _ in 0..WARM_UP {
        trip()?;
    }
    let (start_ns, start_cpu_ns) = (clock::now_ns(MONOTONIC), cpu_ns());
    for _ in 0..round_trips {
        trip()?;
    }
    Ok(Total {
        elapsed_ns: clock::now_ns(MONOTONIC) - start_ns,
        cpu_ns: cpu_ns() - start_cpu_ns,
    })
}

/// The two ends of a pipe: to read from, to write to.
fn pipe() -> Result<(OwnedFd, OwnedFd), i32> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which are new and nobody else's.
    unsafe {
        match libc::pipe(ends.as_mut_ptr()) {
            0 => Ok(ends.map(|fd| OwnedFd::from_raw_fd(fd)).into()),
            _ => Err(errno()),
        }
    }
}

fn transfer(from: &OwnedFd, to: &OwnedFd) -> Result<(), i32> {
    read(from)?;
    write(to)
}

fn read(from: &OwnedFd) -> Result<(), i32> {
    let mut byte = 0u8;
    // SAFETY: room for one byte.
    one(unsafe { libc::read(from.as_raw_fd(), (&raw mut byte).cast(), 1) })
}

fn write(to: &OwnedFd) -> Result<(), i32> {
    let byte = 0u8;
    // SAFETY: one valid byte.
    one(unsafe { libc::write(to.as_raw_fd(), (&raw const byte).cast(), 1) })
}

/// The result of a system call that should have moved one byte.
fn one(moved: isize) -> Result<(), i32> {
    match moved {
        1 => Ok(()),
        0 => Err(libc::EPIPE),
        _ => Err(errno()),
    }
}
