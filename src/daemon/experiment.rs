// SPDX-License-Identifier: GPL-2.0-only
//! `--exp_result`: what every function needed while the daemon ran.
//!
//! The published frontend keeps, for each function of an experiment, the
//! amount of invocations and their total and average CPU time. To find out
//! whose a CPU time was it reads, on exit, the client's answers from the file
//! this flag names. Here that is known from the start, so nothing is read, and
//! the three figures are written to the file instead.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use scx_alps::identify::Registry;
use scx_alps::invocation::{FunctionId, Invocation};

/// The file's first line. Times are milliseconds.
const HEADER: [&str; 4] = [
    "function",
    "amount",
    "total_running_ms",
    "average_running_ms",
];

/// The sums of an experiment.
pub struct Experiment {
    file: PathBuf,
    /// By slot.
    running: Vec<Running>,
    /// Of functions whose slots were given back, by name.
    gone: BTreeMap<String, Running>,
}

#[derive(Clone, Copy, Default)]
struct Running {
    amount: u64,
    total_ns: u128,
}

impl Running {
    fn add(&mut self, other: Self) {
        self.amount += other.amount;
        self.total_ns += other.total_ns;
    }
}

impl Experiment {
    /// An experiment to be written to `file`. Whether that is possible is found
    /// out now, and a file that holds something else is left alone.
    pub fn begin(file: PathBuf) -> Result<Self> {
        let path = file.display();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut found = options
            .open(&file)
            .with_context(|| format!("cannot write {path}"))?;
        let mut head = Vec::new();
        let length = HEADER.join(",").len() as u64;
        found
            .by_ref()
            .take(length)
            .read_to_end(&mut head)
            .with_context(|| format!("cannot read {path}"))?;
        if !head.is_empty() && head != HEADER.join(",").as_bytes() {
            bail!(
                "{path} holds something else than an experiment's CPU times: name another file \
                 with --exp_result"
            );
        }
        Ok(Self {
            file,
            running: Vec::new(),
            gone: BTreeMap::new(),
        })
    }

    pub fn note(&mut self, invocation: &Invocation) {
        let slot = invocation.function.slot();
        if slot >= self.running.len() {
            self.running.resize(slot + 1, Running::default());
        }
        self.running[slot].add(Running {
            amount: 1,
            total_ns: u128::from(invocation.cpu_ns),
        });
    }

    /// Keeps a function's sums under its name, because its slot is given back.
    pub fn retire(&mut self, function: FunctionId, name: &str) {
        if let Some(running) = self.running.get_mut(function.slot()) {
            let own = std::mem::take(running);
            self.gone.entry(name.to_owned()).or_default().add(own);
        }
    }

    /// Writes the file, and returns its path and how many functions are in it.
    pub fn end(self, registry: &Registry) -> Result<(PathBuf, usize)> {
        let mut functions = self.gone.clone();
        for (function, name, _) in registry.iter() {
            if let Some(own) = self.running.get(function.slot()) {
                functions.entry(name.to_string()).or_default().add(*own);
            }
        }
        functions.retain(|_, running| running.amount > 0);
        self.write(&functions)
            .with_context(|| format!("cannot write {}", self.file.display()))?;
        Ok((self.file, functions.len()))
    }

    fn write(&self, functions: &BTreeMap<String, Running>) -> Result<()> {
        let mut out = csv::Writer::from_path(&self.file)?;
        out.write_record(HEADER)?;
        for (name, Running { amount, total_ns }) in functions {
            let total_ms = *total_ns as f64 / 1e6;
            out.write_record([
                name,
                &amount.to_string(),
                &format!("{total_ms:.3}"),
                &format!("{:.3}", total_ms / *amount as f64),
            ])?;
        }
        out.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scx_alps::identify::{FunctionName, Source};
    use std::fs;

    fn invocation(function: FunctionId, cpu_ns: u64) -> Invocation {
        Invocation {
            function,
            arrival_ns: 0,
            first_run_ns: 0,
            end_ns: cpu_ns,
            cpu_ns,
            switches: 0,
        }
    }

    #[test]
    fn amount_total_and_average_are_written_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("seals");
        let mut registry = Registry::new(8);
        let mut slot = |name| {
            let name = FunctionName::new(name);
            registry.assign(&name, Source::LeafCgroup).unwrap()
        };
        let (mail, resize, idle) = (slot("mail, out"), slot("resize"), slot("idle"));
        let mut experiment = Experiment::begin(file.clone()).unwrap();
        experiment.note(&invocation(mail, 1_500_000));
        experiment.note(&invocation(resize, 10_000_000));
        experiment.note(&invocation(resize, 20_000_000));
        experiment.retire(resize, "resize");
        experiment.note(&invocation(resize, 30_000_000));
        experiment.retire(idle, "idle");
        let (_, functions) = experiment.end(&registry).unwrap();
        assert_eq!(functions, 2);
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "function,amount,total_running_ms,average_running_ms\n\
             \"mail, out\",1,1.500,1.500\n\
             resize,3,60.000,20.000\n"
        );
        assert!(
            Experiment::begin(file).is_ok(),
            "its own file may be replaced"
        );
    }

    #[test]
    fn somebody_elses_file_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("answers");
        fs::write(&file, "12 4711 3 ms\n").unwrap();
        assert!(Experiment::begin(file.clone()).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "12 4711 3 ms\n");
        assert!(Experiment::begin(directory.path().join("no/such")).is_err());
    }
}
