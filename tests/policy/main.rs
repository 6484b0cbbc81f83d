// SPDX-License-Identifier: GPL-2.0-only
//! The kernel side's policy, built into programs: how it reads the table while
//! that is published, and the keys it makes of it.

mod build;
mod keys;

use std::process::Command;

#[test]
fn no_half_of_an_update_is_seen() {
    let program = build::program("refresh.c");
    let output = Command::new(&program.path)
        .output()
        .expect("the program that was just built");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
