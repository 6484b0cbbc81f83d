// SPDX-License-Identifier: GPL-2.0-only
//! Bodies of all kinds: each has an answer, and an error is JSON.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::http::{raw, request};
use crate::server::Server;

const NAMES: [&str; 4] = ["fib", "spin", "graphMst", "echo"];

#[test]
fn any_body_has_an_answer() {
    let server = Server::plain();
    server.add("echo", "#!/bin/sh\ncat\n");
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        "\\PC{0,100}".prop_map(String::into_bytes),
        // Close to what is right.
        "\\{\"n\": ?(\"[0-9]{0,3}\"|[0-9.eE-]{0,4}|null|\\[\\]|true)(, \"id\": (1|\"x\"|\\{\\}))?\\}"
            .prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::default();
    runner
        .run(&(0..NAMES.len(), body), |(name, body)| {
            let path = format!("/run/{}", NAMES[name]);
            // Recursion of a large n would take for ever.
            let text = String::from_utf8_lossy(&body);
            prop_assume!(
                !(NAMES[name] == "fib" && text.contains(|c: char| ('3'..='9').contains(&c)))
            );
            let answer = request(server.port, "POST", &path, &body);
            prop_assert!(matches!(answer.status, 200 | 400), "{:?}", answer);
            if answer.status != 200 {
                prop_assert!(!answer.error().is_empty());
            }
            Ok(())
        })
        .unwrap();
    server.assert_well();
}

#[test]
fn any_bytes_are_survived() {
    let server = Server::plain();
    let mut runner = TestRunner::default();
    let bytes = proptest::collection::vec(any::<u8>(), 1..200);
    runner
        .run(&(any::<bool>(), bytes), |(as_head, bytes)| {
            let begin: &[u8] = if as_head {
                b"POST /run/fib HTTP/1.1\r\nConnection: close\r\n"
            } else {
                b""
            };
            let end = b"\r\n\r\n";
            if let Some(answer) = raw(server.port, &[begin, &bytes, end].concat()) {
                prop_assert!(answer.status < 500, "{:?}", answer);
            }
            Ok(())
        })
        .unwrap();
    server.assert_well();
}
