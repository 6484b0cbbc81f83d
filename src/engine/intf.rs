// SPDX-License-Identifier: GPL-2.0-only
//! The types shared with the BPF programs, generated from `src/bpf/intf.h`.
#![allow(
    non_upper_case_globals,
    non_camel_case_types,
    non_snake_case,
    dead_code,
    unsafe_op_in_unsafe_fn,
    clippy::all
)]

include!(concat!(env!("OUT_DIR"), "/bpf_intf.rs"));

use scx_alps::invocation::FunctionId;
use scx_alps::policy::{BUCKETS, grid};

// Both sides describe the policy table by themselves, the pure half in
// scx_alps::policy; here they must agree.
const _: () = assert!(alps_limits_NR_BUCKETS as usize == BUCKETS);
const _: () = assert!(alps_limits_FIRST_BUCKET_SHIFT == grid::FIRST_SHIFT);
// A notice begins with its head.
const _: () = assert!(std::mem::offset_of!(notice, path) == size_of::<notice_head>());
const _: () = assert!(alps_limits_NR_FUNCTIONS as usize == FunctionId::CAPACITY);

/// A plain-data type of the interface, read from bytes the kernel wrote.
///
/// # Safety
/// Every bit pattern must be a valid value of the type.
pub unsafe trait FromKernel: Copy {
    /// The value at the beginning of `bytes`; `None` where they are too few.
    fn read(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= size_of::<Self>())
            // SAFETY: the length was checked, the read is unaligned, and the
            // implementor promises that all bit patterns are valid.
            .then(|| unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }
}

// SAFETY: all are structs of integers and integer arrays.
unsafe impl FromKernel for invocation_event {}
unsafe impl FromKernel for notice_head {}
unsafe impl FromKernel for survey_row {}
unsafe impl FromKernel for alps_counters {}
