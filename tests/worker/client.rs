// SPDX-License-Identifier: GPL-2.0-only
//! The load client against the worker.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::server::{PROGRAM, Server, free_port};

fn invoke(args: &[&str]) -> Output {
    Command::new(PROGRAM)
        .arg("invoke")
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn a_trace_is_sent_to_its_ports_and_reported() {
    let server = Server::plain();
    let folder = server.folder();
    let trace = folder.join("trace.txt");
    let mut text = String::new();
    for id in 1..=40 {
        let job = ["fib", "graphMst"][id % 2];
        text += &format!("{id} {} {job} 5 {}\n", 8 + id % 3, server.port);
    }
    fs::write(&trace, text).unwrap();
    let out = folder.join("out");
    let [trace, out] = [&trace, &out].map(|path| path.to_str().unwrap());
    let output = invoke(&["--trace", trace, "--out", out, "--time-scale", "0.5"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("40 of 40 requests served"), "{said}");
    assert!(said.contains("latency, ms: mean"), "{said}");
    let read = |file: &str| fs::read_to_string(format!("{out}/{file}")).unwrap();
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    assert_eq!(summary["rounds"][0]["unserved"], 0);
    assert_eq!(read("requests.csv").lines().count(), 41);
    assert_eq!(read("invocations.csv").lines().count(), 41);
    assert!(read("latencies.hgrm").contains("#[Max"));
    assert!(read("report.html").contains(&format!("fib-{}", server.port)));
    assert_eq!(server.stats("graphMst")["served"], 20);
}

#[test]
fn more_at_once_than_connections_are_served_in_turn() {
    let server = Server::start(json!({"queue": 0}));
    let trace = server.folder().join("trace.txt");
    let lines = (1..=300).map(|id| format!("{id} 1 fib 0 {}\n", server.port));
    fs::write(&trace, lines.collect::<String>()).unwrap();
    let trace = trace.to_str().unwrap();
    // More than its 64 at once would be turned away.
    let output = invoke(&["--trace", trace, "--connections", "60", "--rate", "100000"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("300 of 300 requests served"), "{said}");
}

#[test]
fn requests_that_fail_are_told_of() {
    let server = Server::plain();
    let url = format!("http://127.0.0.1:{}", server.port);
    // Its functions are none of the worker's.
    let options = ["--synth", "mixed", "--requests", "5", "--rate", "100"];
    let output = invoke(&[&["--url", &url], &options[..]].concat());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("5 requests failed"), "{said}");
    assert!(said.contains("404"), "{said}");

    let nobody = format!("http://127.0.0.1:{}", free_port());
    let output = invoke(&[&["--url", &nobody], &options[..]].concat());
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn mistakes_come_before_any_request() {
    for args in [
        &["--url", "https://127.0.0.1"][..],
        &["--url", "http://127.0.0.1/run/fib"],
        &["--url", "nonsense"],
        &["--trace", "/nonexistent"],
        &["--rate", "0"],
        &["--cpus", "x"],
        &["--requests", "0"],
        &["--connections", "0"],
    ] {
        let output = invoke(args);
        assert!(!output.status.success(), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}
