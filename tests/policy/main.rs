// SPDX-License-Identifier: GPL-2.0-only
//! The kernel side's reading of the policy table, while it is published as fast
//! as can be: no half of an update is ever seen.

use std::env;
use std::path::Path;
use std::process::Command;

#[test]
fn no_half_of_an_update_is_seen() {
    let directory = tempfile::tempdir().expect("a folder for the program");
    let program = directory.path().join("refresh");
    let clang = env::var("BPF_CLANG").unwrap_or_else(|_| "clang".to_owned());
    let built = Command::new(&clang)
        .args(["-O2", "-Wall", "-Werror", "-pthread", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/refresh.c"))
        .status()
        .unwrap_or_else(|error| panic!("cannot run {clang}: {error}"));
    assert!(built.success(), "{clang} cannot build refresh.c");

    let output = Command::new(&program)
        .output()
        .expect("the program that was just built");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
