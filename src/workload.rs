// SPDX-License-Identifier: GPL-2.0-only
//! The workload a command is to run: options and files in, a trace out.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use scx_alps::trace::read::alps::RequestLine;
use scx_alps::trace::scale::share_functions;
use scx_alps::trace::{Fit, Format, Recording, ServiceTimes, Source, Trace, Window, read, synth};

/// What a synthetic trace asks for where no --load is given.
const DEFAULT_LOAD: f64 = 0.9;

/// How long a synthetic trace is where no --seconds are given.
const DEFAULT_SECONDS: f64 = 20.0;

const SECONDS_PER_DAY: f64 = 86_400.0;
const NS_PER_S: f64 = 1e9;

/// The longest time an option may be, in seconds: a year.
const LONGEST_S: f64 = 366.0 * SECONDS_PER_DAY;

/// The file that is standard input.
const STDIN: &str = "-";
const STDIN_NAME: &str = "standard input";

/// Which requests arrive when, and how much CPU time they take.
#[derive(Args, Clone, Debug)]
pub struct WorkloadArgs {
    /// The synthetic trace to make [default: mixed]
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        conflicts_with = "trace",
        help_heading = "Workload"
    )]
    pub synth: Option<Synth>,

    /// The trace to read, possibly compressed with gzip; - is standard input.
    /// Once for each file where a format needs several: docs/traces.md
    #[arg(long, value_name = "FILE", help_heading = "Workload")]
    pub trace: Vec<PathBuf>,

    /// The trace's format [default: by its first line]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Workload")]
    pub format: Option<FormatName>,

    /// The table job,n,cpu_ms that a trace of the ALPS format needs
    #[arg(long, value_name = "FILE", help_heading = "Workload")]
    pub service_times: Option<PathBuf>,

    /// CPU time asked for over CPU time there is
    /// [default: 0.9 for a synthetic trace, as recorded for a file]
    #[arg(long, allow_negative_numbers = true, help_heading = "Workload")]
    pub load: Option<f64>,

    /// How long requests arrive
    /// [default: 20 for a synthetic trace, to its end for a file]
    #[arg(long, allow_negative_numbers = true, help_heading = "Workload")]
    pub seconds: Option<f64>,

    /// Where in the trace to begin, in seconds of its own time [default: 0]
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        help_heading = "Workload"
    )]
    pub from: Option<f64>,

    /// The day of the trace to begin in, counted from 0 [default: 0]
    #[arg(long, help_heading = "Workload")]
    pub day: Option<u32>,

    /// What the times between a file's arrivals are multiplied by
    /// [default: 1/60 for a platform's trace, else 1; the ALPS artifact: 0.21]
    #[arg(
        long,
        value_name = "FACTOR",
        allow_negative_numbers = true,
        help_heading = "Workload"
    )]
    pub time_scale: Option<f64>,

    /// What a file's CPU times are multiplied by
    /// [default: 1/60 for Azure's, else 1]
    #[arg(
        long,
        value_name = "FACTOR",
        allow_negative_numbers = true,
        help_heading = "Workload"
    )]
    pub cpu_scale: Option<f64>,

    /// Keep this many of a file's functions, chosen by the seed
    #[arg(long, value_name = "N", help_heading = "Workload")]
    pub functions: Option<usize>,
}

/// Synthetic traces there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Synth {
    /// Nine functions from 1 ms to 1.5 s, the short ones popular
    Mixed,
    /// After Azure Functions: log-normal, popular functions and a long tail, bursts
    Azure,
    /// After Huawei's clouds: the same, and burstier
    Huawei,
    /// Functions that are either short or long
    Bimodal,
    /// Functions with heavy tails
    Heavy,
    /// A thousand functions at a thousand requests a second; takes no --load
    Thousand,
}

/// Formats of files there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// id n job iat_ms port, with --service-times
    Alps,
    /// arrival_us,function,cpu_us
    Csv,
    /// Azure Functions 2019: a day's invocations and its durations
    Azure2019,
    /// Azure Functions 2021: app,func,end_timestamp,duration
    Azure2021,
    /// Huawei 2023: a day's requests_minute and function_delay_minute
    Huawei2023,
}

impl FormatName {
    fn format(self) -> Format {
        match self {
            Self::Alps => Format::Alps,
            Self::Csv => Format::Plain,
            Self::Azure2019 => Format::Azure2019,
            Self::Azure2021 => Format::Azure2021,
            Self::Huawei2023 => Format::Huawei2023,
        }
    }
}

impl Synth {
    fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Azure => "azure",
            Self::Huawei => "huawei",
            Self::Bimodal => "bimodal",
            Self::Heavy => "heavy",
            Self::Thousand => "thousand",
        }
    }

    fn trace(self, seed: u64, cpus: u32, load: f64, duration: Duration) -> Result<Trace> {
        let make = match self {
            Self::Mixed => synth::mixed,
            Self::Azure => synth::azure,
            Self::Huawei => synth::huawei,
            Self::Bimodal => synth::bimodal,
            Self::Heavy => synth::heavy,
            Self::Thousand => return Ok(synth::thousand(seed, duration)),
        };
        Ok(make(seed, cpus, load, duration)?)
    }
}

impl WorkloadArgs {
    /// What the workload is called in a report.
    pub fn name(&self) -> String {
        match self.trace.first() {
            Some(file) if file == Path::new(STDIN) => STDIN_NAME.to_owned(),
            Some(file) => {
                let name = file.file_name().unwrap_or(file.as_os_str());
                name.to_string_lossy().into_owned()
            }
            None => self.synth.unwrap_or(Synth::Mixed).name().to_owned(),
        }
    }

    /// The trace for one seed, meant for `cpus` CPUs.
    ///
    /// # Errors
    /// When the options give no trace, or a file is none.
    pub fn load(&self, seed: u64, cpus: u32) -> Result<Trace> {
        self.open()?.trace(seed, cpus)
    }

    /// A trace for each seed, all with the same list of functions. Files are
    /// read once.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_all(&self, seeds: &[u64], cpus: u32) -> Result<Vec<(u64, Trace)>> {
        let twice = (0..seeds.len()).find(|&place| seeds[..place].contains(&seeds[place]));
        if let Some(place) = twice {
            bail!(
                "--seeds: {} is given twice, and the same trace twice shows nothing new; pass \
                 each once",
                seeds[place]
            );
        }
        let workload = self.open()?;
        let trace = |&seed: &u64| Ok((seed, workload.trace(seed, cpus)?));
        let mut traces = seeds.iter().map(trace).collect::<Result<Vec<_>>>()?;
        let mut all: Vec<&mut Trace> = traces.iter_mut().map(|(_, trace)| trace).collect();
        share_functions(&mut all);
        Ok(traces)
    }

    /// The requests of a trace of the ALPS format as they are written, and how
    /// long they arrive in nanoseconds; `None` for any other workload.
    ///
    /// # Errors
    /// When the file is none, and for options that do not go with this.
    pub fn request_lines(&self) -> Result<Option<(Vec<RequestLine>, u64)>> {
        let [file] = &self.trace[..] else {
            return Ok(None);
        };
        // What has been read of standard input cannot be read again.
        if self.format.is_none() && file == Path::new(STDIN) {
            return Ok(None);
        }
        let source = source(file)?;
        let format = match self.format {
            Some(name) => name.format(),
            None => Format::of(&source)?,
        };
        if format != Format::Alps {
            ensure!(
                file != Path::new(STDIN),
                "a trace of this format is read from a file here; pass one with --trace"
            );
            return Ok(None);
        }
        for (option, given) in [
            ("--load", self.load.is_some()),
            ("--functions", self.functions.is_some()),
            ("--cpu-scale", self.cpu_scale.is_some()),
        ] {
            ensure!(
                !given,
                "{option} is not for requests that name what they call; \
                 pass --time-scale or --rate"
            );
        }
        let times = self.service_times.as_ref();
        let times =
            times.map(|file| Ok::<_, anyhow::Error>(ServiceTimes::read(self::source(file)?)?));
        let seconds = self
            .seconds
            .map(|seconds| within("--seconds", seconds, 0.0, LONGEST_S))
            .transpose()?;
        let window = self.window(format, seconds)?;
        Ok(Some(read::alps::lines(
            source,
            times.transpose()?.as_ref(),
            window,
        )?))
    }

    fn open(&self) -> Result<Workload> {
        let seconds = self
            .seconds
            .map(|seconds| within("--seconds", seconds, 0.0, LONGEST_S))
            .transpose()?;
        if self.trace.is_empty() {
            self.refuse_what_needs_a_file()?;
            return Ok(Workload::Synthetic {
                synth: self.synth.unwrap_or(Synth::Mixed),
                load: self.load.unwrap_or(DEFAULT_LOAD),
                duration: Duration::from_secs_f64(seconds.unwrap_or(DEFAULT_SECONDS)),
            });
        }
        let sources = self.trace.iter().map(|file| source(file));
        let sources = sources.collect::<Result<Vec<Source>>>()?;
        let format = match self.format {
            Some(name) => name.format(),
            None => Format::of(&sources[0])?,
        };
        let times = match &self.service_times {
            Some(_) if format != Format::Alps => {
                bail!("--service-times is for traces of the ALPS format; leave it out")
            }
            Some(file) => Some(ServiceTimes::read(source(file)?)?),
            None => None,
        };
        let window = self.window(format, seconds)?;
        let recording = read::read(format, sources, times.as_ref(), window)?;
        if let Recording::Minutes(counts) = &recording
            && counts.without_times > 0
        {
            eprintln!(
                "note: {} functions are left out, the trace does not say how long they take",
                counts.without_times
            );
        }
        Ok(Workload::Recorded {
            recording,
            window,
            fit: Fit {
                load: self.load,
                cpus: 0,
                longest_ns: seconds.map(|seconds| (seconds * NS_PER_S) as u64),
                functions: self.functions,
                sample: format.is_of_platform(),
                seed: 0,
            },
        })
    }

    /// What is to be read of a file.
    fn window(&self, format: Format, seconds: Option<f64>) -> Result<Window> {
        let [time_scale, cpu_scale] = format.usual_scales();
        let time_scale = self.time_scale.unwrap_or(time_scale);
        let time_scale = within("--time-scale", time_scale, 1e-6, 1e6)?;
        let cpu_scale = self.cpu_scale.unwrap_or(cpu_scale);
        let from_s = within("--from", self.from.unwrap_or(0.0), 0.0, LONGEST_S)?;
        let day = within("--day", self.day.unwrap_or(0).into(), 0.0, 366.0)?;
        // What is stretched to its load is cut by CPU time, not by this.
        let stretched = self.load.is_some() && !format.is_of_platform();
        Ok(Window {
            from_s: day * SECONDS_PER_DAY + from_s,
            seconds: seconds
                .filter(|_| !stretched)
                .map(|seconds| seconds / time_scale),
            time_scale,
            cpu_scale: within("--cpu-scale", cpu_scale, 1e-6, 1e6)?,
        })
    }

    fn refuse_what_needs_a_file(&self) -> Result<()> {
        for (option, given) in [
            ("--format", self.format.is_some()),
            ("--service-times", self.service_times.is_some()),
            ("--from", self.from.is_some()),
            ("--day", self.day.is_some()),
            ("--time-scale", self.time_scale.is_some()),
            ("--cpu-scale", self.cpu_scale.is_some()),
            ("--functions", self.functions.is_some()),
        ] {
            ensure!(
                !given,
                "{option} is for a trace from a file; pass one with --trace, or leave it out"
            );
        }
        Ok(())
    }
}

/// A workload whose files are read.
enum Workload {
    Synthetic {
        synth: Synth,
        load: f64,
        duration: Duration,
    },
    Recorded {
        recording: Recording,
        window: Window,
        /// Without CPUs and seed.
        fit: Fit,
    },
}

impl Workload {
    fn trace(&self, seed: u64, cpus: u32) -> Result<Trace> {
        match self {
            Self::Synthetic {
                synth,
                load,
                duration,
            } => synth.trace(seed, cpus, *load, *duration),
            Self::Recorded {
                recording,
                window,
                fit,
            } => {
                let fitted = recording.fit(*window, Fit { cpus, seed, ..*fit })?;
                let kept = fitted.trace.functions.len();
                let scale = fitted.stretch * window.time_scale;
                if kept < fitted.functions || scale != 1.0 {
                    eprintln!(
                        "seed {seed}: {kept} of {} functions, times between arrivals × {scale:.3}",
                        fitted.functions,
                    );
                }
                Ok(fitted.trace)
            }
        }
    }
}

fn source(file: &Path) -> Result<Source> {
    if file == Path::new(STDIN) {
        return Ok(Source::new(STDIN_NAME, io::stdin())?);
    }
    let open = || -> io::Result<Box<dyn Read>> {
        let opened = File::open(file)?;
        if opened.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(opened))
    };
    let opened = open().with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Source::new(file.display().to_string(), opened)?)
}

fn within(option: &str, value: f64, lowest: f64, highest: f64) -> Result<f64> {
    ensure!(
        (lowest..=highest).contains(&value),
        "{option} {value} is out of range; pass {lowest} to {highest}"
    );
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        workload: WorkloadArgs,
    }

    fn workload(args: &[&str]) -> WorkloadArgs {
        let args = std::iter::once(&"command").chain(args);
        Command::try_parse_from(args).unwrap().workload
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    const PLAIN: &str = "arrival_us,function,cpu_us\n\
        0,a,1000\n10000,b,1000\n20000,a,2000\n30000,c,4000\n";

    #[test]
    fn nothing_said_is_twenty_seconds_of_the_mix() {
        let trace = workload(&[]).load(1, 2).unwrap();
        let same = synth::mixed(1, 2, DEFAULT_LOAD, Duration::from_secs(20)).unwrap();
        assert_eq!(trace, same);
        assert_eq!(workload(&[]).name(), "mixed");
    }

    #[test]
    fn every_synthetic_trace_is_made() {
        for synth in Synth::value_variants() {
            let args = workload(&["--synth", synth.name()]);
            let traces = args.load_all(&[1, 2], 2).unwrap();
            assert_eq!(args.name(), synth.name());
            assert_eq!(traces[0].1.functions, traces[1].1.functions);
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let file = file(PLAIN);
        let path = file.path().to_str().unwrap();
        for args in [
            &["--load", "0"][..],
            &["--load", "NaN"],
            &["--load", "-1"],
            &["--seconds", "-1"],
            &["--seconds", "NaN"],
            &["--seconds", "1e300"],
            &["--from", "1"],
            &["--functions", "1"],
            &["--trace", path, "--load", "0"],
            &["--trace", path, "--load", "NaN"],
            &["--trace", path, "--time-scale", "0"],
            &["--trace", path, "--time-scale", "-1"],
            &["--trace", path, "--cpu-scale", "NaN"],
            &["--trace", path, "--from", "-1"],
            &["--trace", path, "--from", "1"],
            &["--trace", path, "--day", "4000000000"],
            &["--trace", path, "--seconds", "0"],
            &["--trace", path, "--service-times", path],
            &["--trace", path, "--format", "azure2021"],
            &["--trace", path, "--trace", path],
            &["--trace", "/nonexistent"],
            &["--trace", "/"],
        ] {
            assert!(workload(args).load(1, 2).is_err(), "{args:?}");
        }
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let file = file(PLAIN);
        let args = workload(&["--trace", file.path().to_str().unwrap()]);
        let trace = args.load(1, 2).unwrap();
        assert_eq!(trace.requests.len(), 4);
        assert_eq!(trace.duration_ns, 40_000_000);
        assert!((trace.load(2) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_load_stretches_a_file_and_seconds_cut_it() {
        let file = file(PLAIN);
        let path = file.path().to_str().unwrap();
        let trace = workload(&["--trace", path, "--load", "0.5"]).load(1, 2);
        let trace = trace.unwrap();
        assert_eq!(trace.duration_ns, 8_000_000);
        assert_eq!(trace.requests.len(), 4);
        let args = ["--trace", path, "--load", "0.5", "--seconds", "0.002"];
        let trace = workload(&args).load(1, 2).unwrap();
        assert_eq!(trace.requests.len(), 2);
        assert_eq!(trace.functions, ["a", "b"]);
        let args = ["--trace", path, "--seconds", "0.015", "--time-scale", "0.5"];
        let trace = workload(&args).load(1, 2).unwrap();
        assert_eq!(trace.requests.len(), 3);
        assert_eq!(trace.duration_ns, 15_000_000);
    }

    #[test]
    fn a_synthetic_trace_and_a_file_are_too_much() {
        let args = ["command", "--synth", "azure", "--trace", "f"];
        assert!(Command::try_parse_from(args).is_err());
    }
}
