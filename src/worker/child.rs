// SPDX-License-Identifier: GPL-2.0-only
//! A new process on its way to being a function: apart from the worker, with
//! its limits and without its rights.
//!
//! It is forked from a process that has one thread only, so it may allocate.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{Gid, Uid, chdir, execve, setgroups, setresgid, setresuid, setsid};
use scx_alps::handler::Builtin;
use serde_json::json;

use super::order::{Start, Work};
use crate::bench::worker as job;

/// Where an executable's interpreter is looked for.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where Python is looked for.
const PYTHON: [&str; 2] = ["/usr/bin/python3", "/usr/local/bin/python3"];

/// What the interpreter runs.
const INTERPRETER: &str = include_str!("interpreter.py");

/// Largest file a function can write, and most files it can have open.
const FILE_BYTES: u64 = 64 << 20;
const FILES: u64 = 1024;

/// What went wrong is told by the exit status, as shells do.
const CANNOT_RUN: i32 = 126;

/// The process's life. `fds` are its standard input, output and error.
pub fn live(start: &Start, fds: &[OwnedFd], parent: libc::pid_t) -> ! {
    let life = || match become_function(start, fds, parent).and_then(|()| work(start)) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {error}", start.name);
            CANNOT_RUN
        }
    };
    let code = catch_unwind(AssertUnwindSafe(life)).unwrap_or(CANNOT_RUN);
    // SAFETY: ends the process without running the forker's exit handlers.
    unsafe { libc::_exit(code) }
}

fn become_function(start: &Start, fds: &[OwnedFd], parent: libc::pid_t) -> io::Result<()> {
    setsid()?;
    for (fd, number) in fds.iter().zip(0..) {
        // SAFETY: both are descriptors of this process.
        if unsafe { libc::dup2(fd.as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: nothing here uses a higher descriptor from now on; those that
    // own some are never dropped.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    // SAFETY: the default action runs no code of ours.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;

    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_FSIZE, FILE_BYTES, FILE_BYTES)?;
    setrlimit(Resource::RLIMIT_NOFILE, FILES, FILES)?;
    if let Some(bytes) = start.address_space {
        setrlimit(Resource::RLIMIT_AS, bytes, bytes)?;
    }
    if let Some(processes) = start.processes {
        setrlimit(Resource::RLIMIT_NPROC, processes, processes)?;
    }
    let name = job::Job::name(&start.name);
    // SAFETY: the name is closed by a zero byte.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    if let Some(uid) = start.uid {
        setgroups(&[])?;
        let gid = Gid::from_raw(uid);
        setresgid(gid, gid, gid)?;
        let uid = Uid::from_raw(uid);
        setresuid(uid, uid, uid)?;
    }
    // SAFETY: these only change how this process is treated. After the change
    // of user, which would undo the second.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
        // The forker may have gone before it was asked to take us along.
        if libc::getppid() != parent {
            libc::_exit(CANNOT_RUN);
        }
    }
    Ok(())
}

fn work(start: &Start) -> io::Result<i32> {
    match &start.work {
        Work::Builtin { name, n, id } => {
            chdir("/")?;
            let Some(builtin) = Builtin::named(name) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            if builtin == Builtin::Spin {
                job::spin(n * 1000);
            }
            let (answer, code) = match builtin.run(*n) {
                Ok(result) => (json!({"job": name, "n": n, "id": id, "result": result}), 0),
                Err(error) => (error.to_string().into(), 1),
            };
            // SAFETY: standard output is open, and nothing else owns it here.
            let mut out: File = unsafe { std::os::fd::FromRawFd::from_raw_fd(1) };
            out.write_all(answer.to_string().as_bytes())?;
            Ok(code)
        }
        Work::Executable(path) => {
            chdir(path.parent().unwrap_or(Path::new("/")))?;
            let file = text(path.as_os_str())?;
            run(&file, std::slice::from_ref(&file))
        }
        Work::Interpreter(path) => {
            chdir(path.parent().unwrap_or(Path::new("/")))?;
            let python = PYTHON.iter().find(|python| Path::new(python).exists());
            let python = python.ok_or_else(|| {
                io::Error::other(format!("there is no Python at {}", PYTHON.join(" or ")))
            })?;
            let python = text(OsStr::new(python))?;
            let arguments = [
                python.clone(),
                c"-I".into(),
                c"-c".into(),
                text(OsStr::new(INTERPRETER))?,
                text(path.as_os_str())?,
            ];
            run(&python, &arguments)
        }
    }
}

fn run(file: &CString, arguments: &[CString]) -> io::Result<i32> {
    let environment = [PATH, "LANG=C.UTF-8", "HOME=/nonexistent"].map(|v| text(OsStr::new(v)));
    let environment = environment.into_iter().collect::<io::Result<Vec<_>>>()?;
    match execve(file, arguments, &environment)? {}
}

fn text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}
