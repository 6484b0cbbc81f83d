// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps worker`: a small serverless platform, with OpenLambda's HTTP
//! interface and one process for each request.
//!
//! Two processes: the worker speaks HTTP, on one thread, and knows who may
//! run; the forker, which is started before it and knows nothing of HTTP,
//! starts the functions' processes where and as whom the worker says.

mod cgroups;
mod child;
mod config;
mod failure;
mod forker;
mod function;
mod http;
mod interpreter;
mod invocation;
mod limits;
mod messages;
mod order;
mod output;
mod peer;
pub mod probe;
mod registry;
pub mod set;
mod stats;

use std::cell::Cell;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::Uid;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use cgroups::Cgroups;
use config::Config;
use function::Function;
use http::Worker;
use invocation::Launcher;
use limits::Limits;
use peer::Peer;

use crate::bench::cgroups::{Layout, raise_file_limit};
use crate::bench::process::Child;

/// Connections at once, over all ports.
const MAX_CONNECTIONS: usize = 4096;

/// Connections that wait to be taken, for each port.
const BACKLOG: i32 = 4096;

/// Bytes of request bodies held at once, over all ports.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Run functions for requests over HTTP, as an OpenLambda worker does.
#[derive(Args, Clone, Debug)]
pub struct WorkerArgs {
    /// A worker's configuration, or a folder with one in each of its folders
    /// [default: the built-in functions on port 5000]
    #[arg(long, value_name = "DIR|FILE")]
    pub config: Option<PathBuf>,

    /// The address to listen at; whoever reaches it can run functions
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub address: IpAddr,

    /// Cgroup to create for the functions, relative to the root of all cgroups
    #[arg(long, value_name = "PATH", default_value = "scx_alps-worker")]
    pub cgroup: PathBuf,

    /// How functions are laid out in cgroups
    #[arg(
        long,
        value_enum,
        value_name = "LAYOUT",
        default_value = "per-function"
    )]
    pub layout: Layout,

    /// The first of the user IDs that functions run as, each as its own, where
    /// the worker runs as root
    #[arg(long, value_name = "UID", default_value_t = 1_900_000_000,
          value_parser = clap::value_parser!(u32).range(1..=4_000_000_000))]
    pub first_uid: u32,
}

/// What all ports share.
pub struct Shared {
    launcher: Launcher,
    cgroups: Option<Cgroups>,
    connections: Arc<Semaphore>,
    body_bytes: Semaphore,
    /// The next function's; `None`: all run as whoever the worker is.
    next_uid: Cell<Option<u32>>,
}

impl Shared {
    /// A new function of a worker.
    fn function(&self, worker: &str, name: &str, limits: Limits) -> Result<Function> {
        let cgroups = self.cgroups.as_ref();
        let leaf = cgroups.map(|cgroups| cgroups.leaf(worker, name, &limits));
        let uid = self.next_uid.get();
        self.next_uid.set(uid.map(|uid| uid + 1));
        Ok(Function::new(
            name.to_owned(),
            limits,
            leaf.transpose()?,
            uid,
        ))
    }
}

/// Serves until it is asked to end.
///
/// # Errors
/// When it cannot begin, and when the forker dies.
pub fn run(args: &WorkerArgs) -> Result<()> {
    let configs = match &args.config {
        Some(path) => config::read(path)?,
        None => vec![Config::default()],
    };
    raise_file_limit();
    let listeners = configs.iter().map(|config| listen(args.address, config));
    let listeners = listeners.collect::<Result<Vec<_>>>()?;
    let is_root = Uid::effective().is_root();
    let cgroups = own_cgroups(args, is_root);

    let (here, there) = messages::pair().context("cannot make a pair of sockets")?;
    // While there is but one thread.
    let forker = Child::fork(move || {
        if let Err(error) = forker::live(there) {
            eprintln!("scx_alps: the forker: {error}");
        }
    })?;
    // A client that hangs up must not end the worker.
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { nix::sys::signal::signal(Signal::SIGPIPE, SigHandler::SigIgn) }?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the server")?;
    let serving = async {
        let peer = Peer::new(here).context("cannot speak to the forker")?;
        let shared = Rc::new(Shared {
            launcher: Launcher {
                forker: peer.clone(),
                null: File::options().read(true).write(true).open("/dev/null")?,
            },
            cgroups,
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            body_bytes: Semaphore::new(MAX_BODY_BYTES),
            next_uid: Cell::new(is_root.then_some(args.first_uid)),
        });
        for (config, listener) in configs.into_iter().zip(listeners) {
            println!("{}", introduction(&config, &listener)?);
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let worker = Worker::new(config, shared.clone());
            tokio::task::spawn_local(worker.serve(listener));
        }
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            () = peer.listen() => bail!("the forker has ended"),
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        Ok(())
    };
    let tasks = LocalSet::new();
    let result = tasks.block_on(&runtime, serving);
    // The processes go before their cgroups, which the tasks hold.
    drop(forker);
    drop(tasks);
    result
}

fn listen(address: IpAddr, config: &Config) -> Result<TcpListener> {
    let context = || {
        format!(
            "worker {}: cannot listen at {address}, port {}; is another worker running?",
            config.name, config.port
        )
    };
    let listener = TcpListener::bind((address, config.port)).with_context(context)?;
    listener.set_nonblocking(true).with_context(context)?;
    // The standard library's own backlog is short of a burst of requests.
    // SAFETY: it is a listening socket.
    unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) };
    Ok(listener)
}

/// The functions' cgroups, where there can be any; what is not isolated is said.
fn own_cgroups(args: &WorkerArgs, is_root: bool) -> Option<Cgroups> {
    let note = |text: std::fmt::Arguments| eprintln!("note: {text}");
    if !args.address.is_loopback() {
        note(format_args!(
            "whoever reaches {} can run functions, for nobody is asked who they are",
            args.address
        ));
    }
    if !is_root {
        note(format_args!(
            "not root: functions run as this user, in this cgroup, and can reach each other"
        ));
        return None;
    }
    if args.layout == Layout::Plain {
        note(format_args!(
            "functions stay in this cgroup, where they are not told apart"
        ));
        return None;
    }
    match Cgroups::create(&args.cgroup, args.layout == Layout::PerFunction) {
        Err(error) => {
            note(format_args!("functions get no cgroups: {error:#}"));
            None
        }
        Ok(cgroups) => {
            for controller in cgroups.missing() {
                note(format_args!(
                    "no {controller} controller for {}: limited by resource limits, \
                     which are for each process or user",
                    args.cgroup.display()
                ));
            }
            Some(cgroups)
        }
    }
}

fn introduction(config: &Config, listener: &TcpListener) -> Result<String> {
    let address = listener.local_addr()?;
    Ok(match &config.function {
        Some(function) => format!("{}: http://{address} runs {function}", config.name),
        None => format!("{}: http://{address}", config.name),
    })
}
