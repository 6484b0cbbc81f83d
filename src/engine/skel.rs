// SPDX-License-Identifier: GPL-2.0-only
//! The BPF skeletons, generated at build time.

/// Of `src/bpf/main.bpf.c`.
pub mod ext {
    include!(concat!(env!("OUT_DIR"), "/bpf_skel.rs"));
}

/// Of `src/bpf/cfs_hooks.bpf.c`.
pub mod cfs {
    include!(concat!(env!("OUT_DIR"), "/cfs/bpf_skel.rs"));
}
