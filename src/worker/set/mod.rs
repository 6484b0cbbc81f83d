// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps init-functions` and `delete-functions`: a set of workers that
//! runs in the background, each with its port and its function.

mod folder;
mod line;

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use folder::{Folder, Tenancy};

use super::probe;

/// Where a set is unless somebody says otherwise.
const DEFAULT_DIR: &str = "/run/scx_alps/functions";

/// Until all workers answer.
const READY: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(20);

/// Start a set of workers in the background, one port and function each.
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// A line for each worker, such as 'worker1 5001 1 floatOperation1': its
    /// name, its port, its function's UID and its function
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    set: SetArgs,

    /// Where functions that are not built in are looked for
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,

    /// The address to listen at; whoever reaches it can run functions
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,

    /// Cgroup to create for the functions, relative to the root of all cgroups
    #[arg(long, value_name = "PATH", default_value = "scx_alps-worker")]
    cgroup: PathBuf,
}

/// Stop a set of workers and remove their configurations.
#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    set: SetArgs,
}

#[derive(Args, Clone, Debug)]
struct SetArgs {
    /// The set's folder, with a worker's configuration in each of its folders
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,
}

/// Starts a set and waits until all its workers answer.
///
/// # Errors
/// When one cannot be started; then none runs.
pub fn init(args: &InitArgs) -> Result<()> {
    let file = &args.file;
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = line::parse(file, &text)?;
    let registry = args.registry.as_ref().map(|dir| {
        dir.canonicalize()
            .with_context(|| format!("--registry {}", dir.display()))
    });
    let registry = registry.transpose()?;
    let folder = Folder::create(&args.set.dir)?;
    let mut lock = match folder.tenancy()? {
        Tenancy::Free(lock) => lock,
        Tenancy::Taken(_) => bail!(
            "workers of {} are running; stop them first: scx_alps delete-functions --dir {}",
            folder.path().display(),
            folder.path().display()
        ),
    };
    folder.fill(&lines, registry.as_deref())?;
    let log = folder.log();
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command
        .arg("worker")
        .arg("--config")
        .arg(folder.path())
        .arg("--address")
        .arg(args.address.to_string())
        .arg("--cgroup")
        .arg(&args.cgroup)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let locked = lock.as_raw_fd();
    // SAFETY: both are async-signal-safe. The worker keeps the lock's
    // descriptor, and with it the lock, until it ends.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            libc::fcntl(locked, libc::F_SETFD, 0);
            Ok(())
        });
    }
    let mut child = command.spawn().context("cannot start the workers")?;
    folder::sign(&mut lock, child.id())?;

    let begin = Instant::now();
    for line in &lines {
        let address = SocketAddr::new(args.address, line.port);
        loop {
            // First, for somebody else may answer where ours could not listen.
            let why = match child.try_wait()? {
                Some(status) => format!("they ended ({status})"),
                None if probe::is_ready(address) => break,
                None if begin.elapsed() > READY => format!("{} does not answer", line.worker),
                None => {
                    thread::sleep(PAUSE);
                    continue;
                }
            };
            let words = folder.last_words();
            let _ = child.kill();
            let _ = child.wait();
            drop(lock);
            folder.remove()?;
            bail!("the workers could not be started: {why}, saying:\n{words}");
        }
        println!("{}: http://{address} runs {}", line.worker, line.function);
    }
    println!("log: {}", log.display());
    Ok(())
}

/// Stops a set, if there is one.
///
/// # Errors
/// When it does not end.
pub fn delete(args: &DeleteArgs) -> Result<()> {
    let folder = Folder::of(&args.set.dir);
    if !folder.path().exists() {
        println!("no workers in {}", folder.path().display());
        return Ok(());
    }
    let ran = folder.stop()?;
    folder.remove()?;
    let dir = folder.path().display();
    if ran {
        println!("workers of {dir} stopped");
    } else {
        println!("no workers of {dir} were running; what was left is removed");
    }
    Ok(())
}
