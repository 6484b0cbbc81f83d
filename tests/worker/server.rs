// SPDX-License-Identifier: GPL-2.0-only
//! A worker of the test's own.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_scx_alps");

pub struct Server {
    process: Child,
    pub port: u16,
    dir: TempDir,
}

impl Server {
    /// A worker with these limits and an empty registry.
    pub fn start(limits: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Functions may run as other users.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let registry = dir.path().join("registry");
        fs::create_dir(&registry).unwrap();
        let port = free_port();
        let config = json!({"worker_port": port, "registry": registry, "limits": limits});
        let file = dir.path().join("test.json");
        fs::write(&file, config.to_string()).unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        let process = Command::new(PROGRAM)
            .args(["worker", "--config"])
            .arg(&file)
            .args(["--cgroup", &format!("scx_alps-test-{port}")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { process, port, dir };
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed().as_secs() < 60, "{}", server.log());
            sleep(Duration::from_millis(20));
        }
        server
    }

    pub fn plain() -> Self {
        Self::start(json!({}))
    }

    /// Puts a file into the registry.
    pub fn add(&self, name: &str, text: &str) -> PathBuf {
        let path = self.registry().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn registry(&self) -> PathBuf {
        self.dir.path().join("registry")
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// What `/stats` says of a function.
    pub fn stats(&self, function: &str) -> Value {
        let stats = http::request(self.port, "GET", "/stats", b"").json();
        stats["functions"][function].clone()
    }

    /// Nothing runs or waits any more.
    pub fn await_idle(&self, function: &str) {
        let begin = Instant::now();
        while self.stats(function)["running"] != 0 {
            assert!(begin.elapsed().as_secs() < 30, "{}", self.stats(function));
            sleep(Duration::from_millis(20));
        }
    }

    /// The functions that are built in still answer.
    pub fn assert_well(&self) {
        let answer = http::run(self.port, "fib", r#"{"n": 20}"#);
        assert_eq!(answer.json()["result"], 6765, "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.process.id() as i32), Signal::SIGTERM);
        let status = self.process.wait().unwrap();
        if !std::thread::panicking() {
            assert!(status.success(), "{status}: {}", self.log());
        }
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
