// SPDX-License-Identifier: GPL-2.0-only
//! Sets of workers, started and stopped.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::http::run;
use crate::server::{PROGRAM, free_port};

fn command(name: &str, dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg(name).arg("--dir").arg(dir).args(more);
    command.output().unwrap()
}

/// Stops what a failed test has left running.
struct Set<'a>(&'a Path);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        command("delete-functions", self.0, &[]);
    }
}

#[test]
fn a_set_starts_answers_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("set");
    let _set = Set(&dir);
    let file = folder.path().join("worker_config");
    let (first, second) = (free_port(), free_port());
    let text = format!("worker1 {first} 1 floatOperation1\nworker2 {second} 2 fib\n");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let cgroup = format!("scx_alps-test-set-{first}");
    let start = || command("init-functions", &dir, &[file, "--cgroup", &cgroup]);

    let output = start();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains(&format!("worker2: http://127.0.0.1:{second} runs fib")));
    assert_eq!(
        run(first, "floatOperation1", r#"{"n": 2}"#).json()["result"],
        1.0
    );
    assert_eq!(run(second, "fib", r#"{"n": 10}"#).json()["result"], 55);
    let config = fs::read_to_string(dir.join("worker1/config.json")).unwrap();
    assert!(config.contains("\"seal_priority\": 1"), "{config}");

    let again = start();
    assert!(!again.status.success());
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("scx_alps delete-functions"), "{said}");
    assert_eq!(run(second, "fib", r#"{"n": 10}"#).status, 200);

    let output = command("delete-functions", &dir, &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(!dir.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", second)).is_err());
    let output = command("delete-functions", &dir, &[]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("no workers"));
}

#[test]
fn a_set_that_cannot_start_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("set");
    let file = folder.path().join("worker_config");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    fs::write(&file, format!("worker1 {port} 1 fib\n")).unwrap();
    let output = command("init-functions", &dir, &[file.to_str().unwrap()]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot listen"), "{said}");
    assert!(!dir.exists());
}
