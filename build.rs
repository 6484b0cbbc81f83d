// SPDX-License-Identifier: GPL-2.0-only

fn main() {
    let built = scx_cargo::BpfBuilder::new().and_then(|mut builder| {
        builder
            .enable_intf("src/bpf/intf.h", "bpf_intf.rs")
            .enable_skel("src/bpf/main.bpf.c", "bpf")
            .compile_link_gen()
    });
    if let Err(error) = built {
        eprintln!(
            "cannot build the BPF programs: {error:#}\n\
             clang 18 or newer is needed; `scripts/setup build` installs it, \
             and BPF_CLANG names it where it is not called clang"
        );
        std::process::exit(1);
    }
}
