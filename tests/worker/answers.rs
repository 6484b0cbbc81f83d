// SPDX-License-Identifier: GPL-2.0-only
//! What is asked well is answered well.

use serde_json::json;

use crate::http::{request, run};
use crate::server::Server;

#[test]
fn every_built_in_function_answers() {
    let server = Server::plain();
    for (name, n) in [
        ("floatOperation", 1000),
        ("graphBfs", 100),
        ("graphMst", 8),
        ("graphPagerank", 9),
        ("featureExtractor", 1),
        ("spin", 1000),
    ] {
        let answer = run(server.port, name, &json!({"n": n}).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["n"], n);
        assert!(answer.head.contains("server-timing: queue;dur="));
    }
    let answer = run(server.port, "fib", r#"{"n":"30", "id":"20", "job":"fib"}"#);
    assert_eq!(
        answer.json(),
        json!({"job": "fib", "n": 30, "id": "20", "result": 832_040})
    );
    for name in ["fib/", "%66ib"] {
        assert_eq!(run(server.port, name, r#"{"n": 10}"#).json()["result"], 55);
    }
    let status = request(server.port, "GET", "/status", b"");
    assert_eq!((status.status, status.body.as_str()), (200, "ready\n"));
    let stats = server.stats("fib");
    assert_eq!(
        (&stats["served"], &stats["running"]),
        (&json!(3), &json!(0))
    );
    assert!(stats["response_us"]["p50"].as_u64().unwrap() > 0);
}

#[test]
fn executables_read_the_event_and_write_the_answer() {
    let server = Server::plain();
    server.add("echo", "#!/bin/sh\ncat\n");
    server.add("folder/handler", "#!/bin/sh\necho plain; pwd\n");
    let answer = run(server.port, "echo", r#"{"a": [1]}"#);
    assert_eq!(answer.json(), json!({"a": [1]}));
    assert!(answer.head.contains("content-type: application/json"));
    let answer = run(server.port, "folder", "");
    let folder = server.registry().join("folder");
    assert_eq!(answer.body, format!("plain\n{}\n", folder.display()));
    assert!(answer.head.contains("content-type: text/plain"));
}

#[test]
fn python_is_loaded_once_and_again_when_it_changes() {
    let server = Server::plain();
    let text = "import os\nloaded = os.getpid()\ndef f(event):\n    print('aside')\n    \
                return {'event': event, 'loaded': loaded, 'own': os.getpid()}\n";
    server.add("py/f.py", text);
    let first = run(server.port, "py", r#"{"x": "ü"}"#).json();
    let second = run(server.port, "py", "").json();
    assert_eq!(first["event"], json!({"x": "ü"}));
    assert_eq!(second["event"], json!(null));
    assert_eq!(first["loaded"], second["loaded"]);
    assert_ne!(first["own"], second["own"]);
    server.add("py/f.py", "def f(event): return 'new'\n");
    assert_eq!(run(server.port, "py", "1").json(), json!("new"));
}

#[test]
fn python_that_fails_says_why() {
    let server = Server::plain();
    server.add(
        "raises.py",
        "def f(event): raise ValueError('no such luck')\n",
    );
    server.add("broken.py", "def f(event) return 1\n");
    server.add("empty.py", "x = 1\n");
    server.add("nan.py", "def f(event): return float('nan')\n");
    for (name, words) in [
        ("raises", "no such luck"),
        ("broken", "SyntaxError"),
        ("empty", "has no function f(event)"),
        ("nan", "not JSON compliant"),
    ] {
        let answer = run(server.port, name, "1");
        assert_eq!(answer.status, 500, "{answer:?}");
        let output = answer.json()["output"].to_string();
        assert!(output.contains(words), "{answer:?}");
    }
    server.assert_well();
}
