// SPDX-License-Identifier: GPL-2.0-only
//! BPF programs that give a hook in CFS one answer, whatever they are asked.

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use anyhow::{Context, Result, ensure};
use libbpf_rs::libbpf_sys as sys;

/// `r0 = 0` and `exit`, encoded; the answer is the upper half of the first.
const ANSWER: u64 = 0xb7;
const EXIT: u64 = 0x95;

/// Attached as long as it lives.
pub struct Answer {
    _attached: OwnedFd,
    _program: OwnedFd,
}

impl Answer {
    /// Have the function `hook` of the kernel return `answer`.
    pub fn attach(hook: &str, answer: i32) -> Result<Self> {
        let code = [ANSWER | u64::from(answer as u32) << 32, EXIT];
        let (name, licence) = (CString::new("answer")?, CString::new("GPL")?);
        let hook_name = CString::new(hook)?;
        // SAFETY: the string ends with a zero and outlives the call.
        let id =
            unsafe { sys::libbpf_find_vmlinux_btf_id(hook_name.as_ptr(), sys::BPF_MODIFY_RETURN) };
        ensure!(id > 0, "expected the kernel to have a function {hook}");
        let options = sys::bpf_prog_load_opts {
            sz: size_of::<sys::bpf_prog_load_opts>() as u64,
            expected_attach_type: sys::BPF_MODIFY_RETURN,
            attach_btf_id: id as u32,
            ..Default::default()
        };
        // SAFETY: instructions are 8 bytes, and all that is pointed to outlives the call.
        let program = owned(unsafe {
            sys::bpf_prog_load(
                sys::BPF_PROG_TYPE_TRACING,
                name.as_ptr(),
                licence.as_ptr(),
                code.as_ptr().cast(),
                code.len() as u64,
                &raw const options as *mut _,
            )
        })
        .with_context(|| format!("cannot load a program for {hook}"))?;
        let fd = std::os::fd::AsRawFd::as_raw_fd(&program);
        // SAFETY: a program without a name of its own, by its descriptor.
        let attached = owned(unsafe { sys::bpf_raw_tracepoint_open(ptr::null(), fd) })
            .with_context(|| format!("cannot attach a program to {hook}"))?;
        Ok(Self {
            _attached: attached,
            _program: program,
        })
    }
}

/// A descriptor the kernel has just given us.
fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
