// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps trace`: traces converted, described and scaled.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;

use scx_alps::trace::{Description, Trace, write};

use crate::workload::WorkloadArgs;

/// The file that is standard output.
const STDOUT: &str = "-";

#[derive(Args, Debug)]
pub struct TraceArgs {
    #[command(subcommand)]
    command: TraceCommand,
}

#[derive(Debug, Subcommand)]
enum TraceCommand {
    /// Show what a trace is: figures, arrivals over time, CPU times, functions.
    Describe(Input),
    /// Write a trace, or a part of it, in another format.
    Convert(ConvertArgs),
    /// Write a trace at another load or speed, or with fewer functions.
    Scale(ScaleArgs),
}

/// The trace that a command is about.
#[derive(Args, Debug)]
struct Input {
    /// The same as --trace FILE
    #[arg(value_name = "FILE", conflicts_with = "synth")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    workload: WorkloadArgs,

    /// Decides what is random: synthetic traces, and which functions are kept
    #[arg(long, default_value_t = 1, help_heading = "Workload")]
    seed: u64,

    /// CPUs the load is meant for [default: all there are]
    #[arg(long, value_name = "N", help_heading = "Workload")]
    cpus: Option<u32>,
}

#[derive(Args, Debug)]
struct ConvertArgs {
    #[command(flatten)]
    input: Input,

    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = OutputFormat::Csv)]
    to: OutputFormat,

    /// Where to write the table job,n,cpu_ms that goes with the ALPS format
    #[arg(long, value_name = "FILE", required_if_eq("to", "alps"))]
    service_times_out: Option<PathBuf>,

    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct ScaleArgs {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    output: Output,
}

/// Where a trace is written.
#[derive(Args, Debug)]
struct Output {
    /// The file to write, compressed if it ends in .gz; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = STDOUT)]
    out: PathBuf,
}

/// Formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// arrival_us,function,cpu_us
    Csv,
    /// id n job iat_ms port
    Alps,
}

/// Does what `args` say.
///
/// # Errors
/// When the trace cannot be read or the result not be written.
pub fn run(args: TraceArgs) -> Result<()> {
    match args.command {
        TraceCommand::Describe(input) => describe(input),
        TraceCommand::Convert(args) => convert(args),
        TraceCommand::Scale(args) => scale(args),
    }
}

fn describe(input: Input) -> Result<()> {
    let cpus = input.cpus();
    let (name, trace) = input.load()?;
    let description = Description {
        trace: &trace,
        name: &name,
        cpus,
    };
    let mut out = io::stdout().lock();
    write!(out, "{description}").context("cannot write to standard output")
}

fn convert(args: ConvertArgs) -> Result<()> {
    ensure!(
        args.to == OutputFormat::Alps || args.service_times_out.is_none(),
        "--service-times-out goes with --to alps; leave it out"
    );
    let (_, trace) = args.input.load()?;
    match args.to {
        OutputFormat::Csv => save(&args.output.out, |out| write::plain(&trace, out))?,
        OutputFormat::Alps => save(&args.output.out, |out| write::alps(&trace, out))?,
    }
    if let Some(file) = &args.service_times_out {
        save(file, |out| write::service_times(&trace, out))?;
    }
    Ok(())
}

fn scale(args: ScaleArgs) -> Result<()> {
    let workload = &args.input.workload;
    ensure!(
        workload.load.is_some()
            || workload.time_scale.is_some()
            || workload.cpu_scale.is_some()
            || workload.functions.is_some(),
        "nothing says how to scale; pass --load, --time-scale, --cpu-scale or --functions"
    );
    let (_, trace) = args.input.load()?;
    save(&args.output.out, |out| write::plain(&trace, out))
}

impl Input {
    fn cpus(&self) -> u32 {
        let online = || thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32);
        self.cpus.unwrap_or_else(online)
    }

    /// The trace and its name.
    fn load(mut self) -> Result<(String, Trace)> {
        self.workload.trace.append(&mut self.files);
        let trace = self.workload.load(self.seed, self.cpus())?;
        Ok((self.workload.name(), trace))
    }
}

/// Writes a file all or not at all: what was in it stays until the new is
/// complete.
fn save(file: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let cannot = || format!("cannot write {}", file.display());
    if file == Path::new(STDOUT) {
        let mut out = BufWriter::new(io::stdout().lock());
        return write(&mut out)
            .and_then(|()| out.flush())
            .context("cannot write to standard output");
    }
    let special = file.metadata().is_ok_and(|metadata| !metadata.is_file());
    if special {
        let mut out = File::create(file).with_context(cannot)?;
        return compressed(file, &mut out, write).with_context(cannot);
    }
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut whole = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_context(cannot)?;
    compressed(file, whole.as_file_mut(), write).with_context(cannot)?;
    whole.persist(file).with_context(cannot)?;
    Ok(())
}

fn compressed(
    file: &Path,
    out: &mut File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    if file.extension().is_some_and(|extension| extension == "gz") {
        let mut encoder = GzEncoder::new(&mut out, Compression::default());
        write(&mut encoder)?;
        encoder.finish()?;
    } else {
        write(&mut out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        trace: TraceArgs,
    }

    fn run(args: &[&str]) -> Result<()> {
        let args = std::iter::once(&"trace").chain(args);
        super::run(Command::try_parse_from(args)?.trace)
    }

    #[test]
    fn what_is_converted_there_and_back_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let [csv, alps, times, back] = ["a.csv", "a.txt.gz", "times.csv", "b.csv"].map(path);
        run(&[
            "convert",
            "--synth",
            "bimodal",
            "--seconds",
            "5",
            "-o",
            &csv,
        ])
        .unwrap();
        run(&[
            "convert",
            &csv,
            "--to",
            "alps",
            "-o",
            &alps,
            "--service-times-out",
            &times,
        ])
        .unwrap();
        run(&["convert", &alps, "--service-times", &times, "-o", &back]).unwrap();
        let lines = |file: &str| fs::read_to_string(file).unwrap().lines().count();
        assert!(lines(&csv) > 50);
        assert_eq!(lines(&csv), lines(&back));
        run(&["describe", &back, "--load", "0.5"]).unwrap();
    }

    #[test]
    fn a_scaled_trace_has_its_load() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let file = file.to_str().unwrap();
        run(&["scale", "--synth", "mixed", "--load", "0.4", "-o", file]).unwrap();
        run(&["scale", file, "--load", "0.8", "--cpus", "4", "-o", file]).unwrap();
        let text = fs::read_to_string(file).unwrap();
        let cpu_us = |line: &str| line.rsplit(',').next()?.parse::<f64>().ok();
        let sum_us: f64 = text.lines().filter_map(cpu_us).sum();
        let last = text.lines().last().unwrap();
        let last_us: f64 = last.split(',').next().unwrap().parse().unwrap();
        let load = sum_us / last_us / 4.0;
        assert!((load - 0.8).abs() < 0.05, "{load}");
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old.csv");
        fs::write(&old, "old").unwrap();
        let old = old.to_str().unwrap();
        for args in [
            &["describe", "f", "--synth", "mixed"][..],
            &["describe", "/nonexistent"],
            &["convert", "--synth", "mixed", "--to", "alps"],
            &["convert", "--synth", "mixed", "--service-times-out", old],
            &["convert", "--synth", "mixed", "-o", "/dev/full"],
            &["convert", "--synth", "mixed", "-o", "/nonexistent/a.csv"],
            &["convert", "--synth", "mixed", "--load", "0", "-o", old],
            &["convert", old, "-o", old],
            &["scale", "--synth", "mixed"],
        ] {
            assert!(run(args).is_err(), "{args:?}");
        }
        assert_eq!(fs::read_to_string(old).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
