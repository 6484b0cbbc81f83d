// SPDX-License-Identifier: GPL-2.0-only
//! Programs made of the kernel side's headers.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A program that lasts as long as its folder.
pub struct Program {
    _directory: TempDir,
    pub path: PathBuf,
}

/// Builds `source`, a file of this folder.
pub fn program(source: &str) -> Program {
    let directory = tempfile::tempdir().expect("a folder for the program");
    let path = directory.path().join("program");
    let clang = env::var("BPF_CLANG").unwrap_or_else(|_| "clang".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy");
    let built = Command::new(&clang)
        .args(["-O2", "-Wall", "-Werror", "-pthread", "-o"])
        .arg(&path)
        .arg(folder.join(source))
        .status()
        .unwrap_or_else(|error| panic!("cannot run {clang}: {error}"));
    assert!(built.success(), "{clang} cannot build {source}");
    Program {
        _directory: directory,
        path,
    }
}
