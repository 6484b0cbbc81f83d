// SPDX-License-Identifier: GPL-2.0-only
//! The worker as root and with cgroups: every handler answers, from the
//! function's own cgroup and as a user of its own; what goes too far is
//! stopped, and nothing is left.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::cgroup::ROOT;
use crate::daemon::{Daemon, PROGRAM};
use crate::machine::Machine;
use crate::report::{DIRECTORY, Report};
use crate::scenario::Scenario;
use crate::wait;

pub const SCENARIO: Scenario = Scenario {
    name: "worker",
    title: "the worker's functions have cgroups, users and limits of their own",
    machine: Machine::Parallel,
    limit: Duration::from_secs(150),
    run,
};

const PORT: u16 = 5002;

/// The same from an interpreter's child, with what it was given.
const WHO_PY: &str = "import os\ndef f(event):\n    \
    return [os.getuid(), open('/proc/self/cgroup').read().strip(), event]\n";

/// Takes the memory it is told to, in MiB.
const HOG: &str = "def f(event):\n    return len(b'x' * (event['mb'] << 20))\n";

/// Answers with its user and its cgroup.
const WHO: &str = "#!/bin/sh\nid -u\nid -G\ncat /proc/self/cgroup\n";

/// Forks until it may not any more.
const BOMB: &str = "#!/bin/sh\nb() { b | b & }\nb\nsleep 60\n";

/// Leaves a process that is in no group of its.
const ESCAPES: &str = "#!/bin/sh\n(setsid sleep 1000 >/dev/null 2>&1 </dev/null &)\necho gone\n";

fn run(report: &Report) -> Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut worker = Worker::start()?;
    for (name, n) in [
        ("floatOperation", 1000),
        ("graphBfs", 100),
        ("graphMst", 8),
        ("graphPagerank", 9),
        ("featureExtractor", 1),
        ("spin", 2000),
    ] {
        let (status, answer) = post(name, &json!({"n": n}).to_string())?;
        ensure!(status == 200, "{name}: {status} {answer}");
    }
    // What curl sends where it is told to as the documentation has it.
    let answer = exchange(concat!(
        "POST /run/fib HTTP/1.1\r\nHost: localhost:5002\r\nUser-Agent: curl/7.88.1\r\n",
        "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: 38\r\n",
        "Connection: close\r\n\r\n",
        r#"{"n":"20", "id":"20", "job":"fib"    }"#
    ))?;
    ensure!(answer.1.contains("\"result\":6765"), "{answer:?}");

    let (_, who) = post("who", "{}")?;
    let lines: Vec<&str> = who.lines().collect();
    ensure!(
        lines.len() == 3 && lines[0] != "0" && lines[0] == lines[1],
        "expected a user and no group but its own, and saw {who}"
    );
    ensure!(
        lines[2] == "0::/scx_alps-worker/test/who",
        "expected the function's own cgroup and saw {who}"
    );
    let leaf = Path::new(ROOT).join("scx_alps-worker/test");
    for (file, limit) in [("pids.max", "30"), ("memory.max", "16777216")] {
        let found = fs::read_to_string(leaf.join("who").join(file))?;
        ensure!(
            found.trim() == limit,
            "expected {limit} in {file} and saw {found}"
        );
    }

    let (status, answer) = post("who-py", r#"{"a": "ü"}"#)?;
    let who: (u32, String, Value) =
        serde_json::from_str(&answer).with_context(|| format!("{status} {answer}"))?;
    ensure!(
        status == 200 && who.0 != 0 && who.0.to_string() != lines[0],
        "expected a user of its own for Python, and saw {answer}"
    );
    ensure!(
        who.1 == "0::/scx_alps-worker/test/who-py" && who.2 == json!({"a": "ü"}),
        "expected the function's own cgroup and its event, and saw {answer}"
    );
    let (status, answer) = post("hog", r#"{"mb": 400}"#)?;
    report.note(format!("without memory left: {status} {}", answer.trim()));
    ensure!(
        status == 500 && answer.contains("was killed by signal 9, as memory was short"),
        "{status} {answer}"
    );
    let (status, answer) = post("hog", r#"{"mb": 1}"#)?;
    ensure!((status, &*answer) == (200, "1048576"), "{status} {answer}");

    let bomb = thread::spawn(|| post("bomb", "{}"));
    thread::sleep(Duration::from_millis(500));
    let (status, answer) = post("fib", r#"{"n": 10}"#)?;
    ensure!(status == 200, "beside a fork bomb: {status} {answer}");
    let (status, answer) = bomb.join().expect("no panic")?;
    report.note(format!("a fork bomb: {status} {}", answer.trim()));
    ensure!(status == 504, "{status} {answer}");
    let (_, answer) = post("escapes", "{}")?;
    ensure!(answer.trim() == "gone", "{answer}");
    for function in ["bomb", "escapes"] {
        wait::until("an empty cgroup", Duration::from_secs(20), || {
            let file = leaf.join(function).join("cgroup.procs");
            Ok(fs::read_to_string(file)?.is_empty())
        })?;
    }

    let (status, answer) = post("escapes", "{}")?;
    ensure!(
        status == 200,
        "after a process was left behind: {status} {answer}"
    );

    // The scheduler knows them by their cgroups.
    wait::until(
        "the function to be learned",
        Duration::from_secs(30),
        || {
            post("spin", r#"{"n": 3000}"#)?;
            let explained = Command::new(PROGRAM).args(["explain", "spin"]).output()?;
            Ok(explained.status.success())
        },
    )?;
    let listed = Command::new(PROGRAM).arg("functions").output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for name in ["spin", "who-py"] {
        let line = listed.lines().find(|line| line.starts_with(name));
        ensure!(
            line.is_some_and(
                |line| line.contains(" sure ") && line.ends_with("scx_alps worker, test")
            ),
            "expected {name} by the worker, and saw {listed}"
        );
    }

    ensure!(
        worker.stop()?,
        "expected the worker to end well: {}",
        worker.log()
    );
    ensure!(
        !Path::new(ROOT).join("scx_alps-worker").exists(),
        "expected no cgroup of the worker's to be left"
    );
    drop(daemon);
    Ok(())
}

struct Worker {
    process: Child,
    log: PathBuf,
}

impl Worker {
    fn start() -> Result<Self> {
        let dir = Path::new(DIRECTORY).join("worker");
        let registry = dir.join("registry");
        fs::create_dir_all(&registry)?;
        // Functions are other users.
        for dir in [Path::new(DIRECTORY), &dir, &registry] {
            fs::set_permissions(dir, Permissions::from_mode(0o755))?;
        }
        for (name, script) in [
            ("who", WHO),
            ("bomb", BOMB),
            ("escapes", ESCAPES),
            ("who-py.py", WHO_PY),
            ("hog.py", HOG),
        ] {
            let file = registry.join(name);
            fs::write(&file, script)?;
            fs::set_permissions(&file, Permissions::from_mode(0o755))?;
        }
        let config = json!({
            "worker_port": PORT.to_string(),
            "registry": registry,
            "limits": {"procs": 30, "mem_mb": 16, "max_runtime_default": 8},
            "functions": {
                "who-py": {"limits": {"mem_mb": 64, "max_runtime_default": 30}},
                "hog": {"limits": {"mem_mb": 64, "max_runtime_default": 30}},
            },
        });
        let file = dir.join("test.json");
        fs::write(&file, config.to_string())?;
        let log = dir.join("log");
        let output = File::create(&log)?;
        let process = Command::new(PROGRAM)
            .args(["worker", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start the worker")?;
        let worker = Self { process, log };
        let ready = wait::until("the worker to answer", Duration::from_secs(20), || {
            Ok(TcpStream::connect(("127.0.0.1", PORT)).is_ok())
        });
        ready.with_context(|| worker.log())?;
        Ok(worker)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it ended well.
    fn stop(&mut self) -> Result<bool> {
        // SAFETY: the process is our own child and not reaped, so the id is still its.
        unsafe { libc::kill(self.process.id() as i32, libc::SIGTERM) };
        Ok(self.process.wait()?.success())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn post(name: &str, body: &str) -> Result<(u16, String)> {
    exchange(&format!(
        "POST /run/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The answer's status and body.
fn exchange(request: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}
