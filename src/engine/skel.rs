// SPDX-License-Identifier: GPL-2.0-only
//! The BPF skeleton, generated at build time.

include!(concat!(env!("OUT_DIR"), "/bpf_skel.rs"));
