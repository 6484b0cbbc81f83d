// SPDX-License-Identifier: GPL-2.0-only

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use scx_cargo::BpfBuilder;

fn main() {
    if let Err(error) = build() {
        eprintln!(
            "cannot build the BPF programs: {error:#}\n\
             clang 18 or newer is needed; `scripts/setup build` installs it, \
             and BPF_CLANG names it where it is not called clang"
        );
        std::process::exit(1);
    }
}

fn build() -> Result<()> {
    BpfBuilder::new()?
        .enable_intf("src/bpf/intf.h", "bpf_intf.rs")
        .enable_skel("src/bpf/main.bpf.c", "bpf")
        .compile_link_gen()?;

    // The builder knows one name for its output; so the second has a folder of its own.
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("cfs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // SAFETY: there is only one thread.
    unsafe { env::set_var("OUT_DIR", &folder) };
    BpfBuilder::new()?
        // The kernels this is for know no newer instructions.
        .add_cflag("-mcpu=v3")
        .enable_skel("src/bpf/cfs_hooks.bpf.c", "bpf")
        .compile_link_gen()
}
