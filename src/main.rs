// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps`: the daemon, and the commands that talk to it.

mod bench;
mod cli;
mod control;
mod daemon;
mod engine;
mod explain;
mod functions;
mod invoke;
mod learn_args;
mod logging;
mod published;
mod results;
mod set;
mod simulate;
mod status;
mod top;
mod traces;
mod worker;
mod workload;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use clap::Parser;
use nix::sys::signal::{SigHandler, Signal, signal};

use bench::with_daemon_on_demand;
use cli::{Cli, RunArgs, Subcommands};
use control::Command;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scx_alps: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    if cli.command.is_some() {
        end_with_the_reader();
    }
    match cli.command {
        None => schedule(cli.run),
        Some(Subcommands::On(args)) => status::change(&args.socket, Command::On),
        Some(Subcommands::Off(args)) => status::change(&args.socket, Command::Off),
        Some(Subcommands::Toggle(args)) => status::change(&args.socket, Command::Toggle),
        Some(Subcommands::Status(args)) => status::show(&args.control.socket, args.json),
        Some(Subcommands::Set(args)) => set::run(&args.control.socket, args.change()),
        Some(Subcommands::Explain(args)) => {
            explain::run(&args.control.socket, &args.function, args.json)
        }
        Some(Subcommands::Functions(args)) => functions::run(&args),
        Some(Subcommands::Policy(args)) => {
            published::run(&args.control.socket, args.save.as_deref())
        }
        Some(Subcommands::Top(args)) => top::run(&args.control.socket, args.interval, args.once),
        Some(Subcommands::Bench(measure)) => bench::run(&measure.args, &measure.daemon),
        Some(Subcommands::Simulate(args)) => simulate::run(&args),
        Some(Subcommands::BenchOverhead(measure)) => {
            with_daemon_on_demand(&measure.daemon, |toggle| {
                bench::overhead::run(&measure.args, toggle)
            })
        }
        Some(Subcommands::Trace(args)) => traces::run(*args),
        Some(Subcommands::Worker(args)) => worker::run(&args),
        Some(Subcommands::InitFunctions(args)) => worker::set::init(&args),
        Some(Subcommands::DeleteFunctions(args)) => worker::set::delete(&args),
        Some(Subcommands::Invoke(args)) => invoke::run(&args),
    }
}

fn schedule(args: RunArgs) -> Result<()> {
    if args.version {
        println!("scx_alps {}", status::version());
        return Ok(());
    }
    if args.help_stats {
        return daemon::stats::server_data().describe_meta(&mut std::io::stdout(), None);
    }
    logging::start(args.verbose)?;
    if let Some(interval) = args.monitor {
        return daemon::stats::monitor(interval, &Arc::new(AtomicBool::new(false)));
    }
    daemon::run(args.into_config()?)
}

/// A command whose output nobody reads any more ends, as others do; the daemon
/// does not, for its clients may hang up.
fn end_with_the_reader() {
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
}
