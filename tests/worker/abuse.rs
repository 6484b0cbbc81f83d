// SPDX-License-Identifier: GPL-2.0-only
//! What is bad has the right status, a JSON error and a bounded cost, and
//! others are not harmed.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::{connect, half_closed, raw, read, request, run};
use crate::server::Server;

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let server = Server::start(json!({"body_kb": 4}));
    let port = server.port;
    let long = vec![b' '; 5000];
    for (answer, status, what) in [
        (run(port, "nope", "{}"), 404, "no such function"),
        (run(port, "a/b", "{}"), 400, "'/'"),
        (run(port, "..", "{}"), 400, "begins with a dot"),
        (run(port, "", "{}"), 400, "empty"),
        (run(port, "a%2Fb", "{}"), 400, "'/'"),
        (run(port, "%2e%2E", "{}"), 400, "begins with a dot"),
        (run(port, "a%00", "{}"), 400, "'\\0'"),
        (run(port, "a%1b", "{}"), 400, "in it"),
        (run(port, "%ff", "{}"), 400, "no UTF-8"),
        (request(port, "GET", "/run/fib", b""), 405, "POST"),
        (request(port, "POST", "/stats", b""), 405, "GET"),
        (request(port, "GET", "/", b""), 404, "/run/NAME"),
        (run(port, "fib", ""), 400, "not JSON"),
        (run(port, "fib", "{\"n\": 1"), 400, "not JSON"),
        (run(port, "fib", "[1]"), 400, "a list"),
        (run(port, "fib", "{}"), 400, "'n' is missing"),
        (run(port, "fib", r#"{"n": {}}"#), 400, "'n' is an object"),
        (run(port, "fib", r#"{"n": "1e9"}"#), 400, "'n' must be"),
        (
            run(
                port,
                "fib",
                &format!(r#"{{"n": 1, "id": "{}"}}"#, "x".repeat(3000)),
            ),
            400,
            "'id' has 3000 bytes",
        ),
        (run(port, "fib", &"[".repeat(4000)), 400, "not JSON"),
        (request(port, "POST", "/run/fib", &long), 413, "4096"),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.error().contains(what), "{answer:?}");
        assert!(answer.head.contains("content-type: application/json"));
    }
    // Without a length, too.
    let chunk = format!("{:x}\r\n{}\r\n", long.len(), " ".repeat(long.len()));
    let chunked = format!(
        "POST /run/fib HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"
    );
    assert_eq!(raw(port, chunked.as_bytes()).unwrap().status, 413);
    server.assert_well();
}

#[test]
fn what_is_no_http_is_hung_up_on() {
    let server = Server::plain();
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST /run/fib HTTP/9.9\r\n\r\n",
        b"POST /run/fib HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /run/a\x01b HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let answer = raw(server.port, bytes);
        assert!(answer.is_none_or(|answer| answer.status == 400));
    }
    let long = format!("GET /status HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let answer = raw(server.port, long.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 431));
    server.assert_well();
}

#[test]
fn half_a_request_costs_nothing_but_its_connection() {
    let server = Server::plain();
    let head = "POST /run/fib HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n";
    // Many that send no more, and go on being there.
    let slow: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect(server.port);
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    server.assert_well();
    let answer = half_closed(server.port, head.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 400));
    drop(slow);
    server.assert_well();
    server.await_idle("fib");
}

#[test]
fn a_slow_body_is_given_up() {
    let server = Server::start(json!({"body_sec": 1}));
    let mut stream = connect(server.port);
    let head = "POST /run/fib HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let answer = read(stream).unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(answer.error().contains("in time"));
}

#[test]
fn a_client_that_goes_away_takes_its_process_along() {
    let server = Server::plain();
    let mut stream = connect(server.port);
    let body = r#"{"n": 3600000000}"#;
    let request = format!(
        "POST /run/spin HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    while server.stats("spin")["running"] != 1 {
        thread::sleep(Duration::from_millis(10));
    }
    drop(stream);
    server.await_idle("spin");
    assert_eq!(server.stats("spin")["abandoned"], 1);
    // Who comes later is not killed with it.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(run(server.port, "spin", r#"{"n": 1}"#).status, 200);
}

#[test]
fn functions_that_fail_harm_nobody_else() {
    let server = Server::start(json!({"max_runtime_default": 1, "answer_kb": 64, "procs": 40}));
    server.add("dies", "#!/bin/sh\nkill -11 $$\n");
    server.add("fails", "#!/bin/sh\necho oh no >&2; exit 3\n");
    server.add("floods", "#!/bin/sh\nyes\n");
    server.add("shouts", "#!/bin/sh\nyes >&2\n");
    server.add("hangs", "#!/bin/sh\nsleep 1000\n");
    server.add("no-interpreter", "#!/nonexistent\n");
    for (name, status, what) in [
        ("dies", 500, "signal 11"),
        ("fails", 500, "exit status 3"),
        ("floods", 502, "longer than 65536 bytes"),
        ("shouts", 502, "longer than"),
        ("hangs", 504, "within 1s"),
        ("no-interpreter", 500, "exit status 126"),
    ] {
        let begin = Instant::now();
        let answer = run(server.port, name, "{}");
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.error().contains(what), "{answer:?}");
        assert!(begin.elapsed() < Duration::from_secs(20));
        server.assert_well();
    }
    assert_eq!(run(server.port, "fails", "").json()["output"], "oh no");
}

#[test]
fn a_function_without_memory_left_says_so() {
    let server = Server::start(json!({"mem_mb": 64}));
    server.add(
        "hog.py",
        "def f(event):\n    return len(b'x' * (200 << 20))\n",
    );
    server.add("dd", "#!/bin/sh\nexec dd if=/dev/zero bs=200M count=1\n");
    for name in ["hog", "dd"] {
        let answer = run(server.port, name, "1");
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(!answer.error().is_empty(), "{answer:?}");
        server.assert_well();
    }
}

#[test]
fn what_a_function_leaves_behind_is_killed() {
    let server = Server::plain();

    let script = "#!/bin/sh\n(sleep 1000 & echo $!)\n";
    server.add("leaves", script);
    let pid = run(server.port, "leaves", "").body.trim().to_owned();
    let process = std::path::Path::new("/proc").join(&pid);
    let begin = Instant::now();
    while process.exists() {
        assert!(begin.elapsed().as_secs() < 10, "{pid} is left");
        thread::sleep(Duration::from_millis(10));
    }
    // The next is no leftover.
    assert_eq!(run(server.port, "leaves", "").status, 200);
}

#[test]
fn more_than_can_wait_is_turned_away() {
    let server = Server::start(json!({"concurrency": 1, "queue": 1, "max_runtime_default": 60}));
    let port = server.port;
    let spin = || thread::spawn(move || run(port, "spin", r#"{"n": 1000000}"#).status);
    let await_queue = |running: u64, queued: u64| {
        while server.stats("spin")["running"] != running || server.stats("spin")["queued"] != queued
        {
            thread::sleep(Duration::from_millis(5));
        }
    };
    let first = spin();
    await_queue(1, 0);
    let second = spin();
    await_queue(1, 1);
    let answer = run(port, "spin", r#"{"n": 1}"#);
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.head.contains("retry-after: 1"));
    // Others have a queue of their own.
    server.assert_well();
    assert_eq!((first.join().unwrap(), second.join().unwrap()), (200, 200));
}

#[test]
fn links_out_of_the_registry_are_not_followed() {
    let server = Server::plain();
    symlink("/bin/cat", server.registry().join("cat")).unwrap();
    symlink("/etc", server.registry().join("etc")).unwrap();
    for name in ["cat", "etc"] {
        let answer = run(server.port, name, "{}");
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.error().contains("outside the registry"));
    }
}
