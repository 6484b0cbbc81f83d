// SPDX-License-Identifier: GPL-2.0-only
//! Has scx_rustland_core's builder write and compile its parts.
//!
//! It writes into the current folder, and names its files there to cargo, which
//! would look for them in the package's folder. So it runs in a process of its
//! own whose current folder is OUT_DIR, and what it says to cargo of files is
//! left out: they depend on nothing but the version of the crate.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

const INNER: &str = "SCX_RLALPS_BUILDS_HERE";

fn main() {
    if env::var_os(INNER).is_some() {
        let built = scx_rustland_core::RustLandBuilder::new().and_then(|mut it| it.build());
        return built.unwrap_or_else(|error| give_up(format_args!("{error:#}")));
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    match generate(&out) {
        Ok(said) => said
            .lines()
            .filter(|line| !line.contains("rerun-if-changed"))
            .for_each(|line| println!("{line}")),
        Err(error) => give_up(format_args!("{error}")),
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BPF_CLANG");
}

fn generate(out: &Path) -> std::io::Result<String> {
    fs::create_dir_all(out.join("src"))?;
    let output = Command::new(env::current_exe()?)
        .env(INNER, "")
        .current_dir(out)
        .output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(String::from_utf8_lossy(
            &output.stderr,
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn give_up(why: std::fmt::Arguments) -> ! {
    eprintln!(
        "cannot build scx_rustland_core's BPF programs: {why}\n\
         clang 18 or newer is needed; `scripts/setup build` installs it, \
         and BPF_CLANG names it where it is not called clang"
    );
    exit(1)
}
