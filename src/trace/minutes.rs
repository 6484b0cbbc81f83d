// SPDX-License-Identifier: GPL-2.0-only
//! Recordings that count requests by the minute.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::builder::Builder;
use super::cpu_times::CpuTimes;
use super::names::Names;
use super::window::{MAX_REQUESTS, Window};
use super::{NS_PER_S, Trace};

pub const SECONDS_PER_MINUTE: f64 = 60.0;

/// The most counts above 0 that are kept: 192 MB of them.
pub const MAX_CELLS: usize = 16_000_000;

/// How often each function was asked for in each minute of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct MinuteCounts {
    pub functions: Vec<Counted>,
    /// The window's length.
    pub minutes: u32,
    /// Functions that were asked for and are left out, since the recording
    /// does not say how long they take.
    pub without_times: usize,
}

/// One function of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub name: String,
    /// Minutes with requests.
    pub cells: Vec<Cell>,
    pub cpu: CpuTimes,
}

/// The requests of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Counted from the window's beginning.
    pub minute: u32,
    pub count: u32,
}

impl Counted {
    /// The CPU time its requests are expected to take together, in seconds of
    /// the recording.
    pub fn cpu_s(&self) -> f64 {
        let cells = self.cells.iter().enumerate();
        cells
            .map(|(index, cell)| f64::from(cell.count) * self.cpu.mean(index))
            .sum()
    }

    fn requests(&self) -> u64 {
        self.cells.iter().map(|cell| u64::from(cell.count)).sum()
    }
}

impl MinuteCounts {
    /// A trace of the functions `chosen` (indices), at the scales of
    /// `window`.
    ///
    /// Counts are kept exactly. Where in its minute a request arrives is not
    /// recorded: anywhere, with the same probability.
    ///
    /// # Errors
    /// With the number of requests, when they are too many.
    pub fn trace(&self, chosen: &[usize], window: Window, seed: u64) -> Result<Trace, u64> {
        let chosen = || chosen.iter().filter_map(|&index| self.functions.get(index));
        let requests = chosen().map(Counted::requests).fold(0, u64::saturating_add);
        if requests > MAX_REQUESTS as u64 {
            return Err(requests);
        }
        let all = Window {
            from_s: 0.0,
            seconds: Some(f64::from(self.minutes) * SECONDS_PER_MINUTE),
            ..window
        };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut builder = Builder::new(all);
        for function in chosen() {
            let name = |names: &mut Names| names.number(&function.name);
            for (index, cell) in function.cells.iter().enumerate() {
                for _ in 0..cell.count {
                    let minutes = f64::from(cell.minute) + rng.random::<f64>();
                    let arrival_ns = minutes * SECONDS_PER_MINUTE * NS_PER_S;
                    let cpu_ns = function.cpu.at(index, rng.random()) * NS_PER_S;
                    // The count was looked at, the names when they were read.
                    builder
                        .add(name, arrival_ns, cpu_ns)
                        .map_err(|_| requests)?;
                }
            }
        }
        Ok(builder.finish(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> MinuteCounts {
        let cell = |minute, count| Cell { minute, count };
        MinuteCounts {
            functions: vec![
                Counted {
                    name: "a".into(),
                    cells: vec![cell(0, 3), cell(2, 1)],
                    cpu: CpuTimes::PerMinute(vec![0.5, 2.0]),
                },
                Counted {
                    name: "b".into(),
                    cells: vec![cell(1, 5)],
                    cpu: CpuTimes::Quantiles(vec![(0.0, 1.0), (1.0, 1.0)]),
                },
            ],
            minutes: 3,
            without_times: 0,
        }
    }

    #[test]
    fn every_minute_has_its_count() {
        let counts = counts();
        assert_eq!(counts.functions[0].cpu_s(), 3.5);
        assert!((counts.functions[1].cpu_s() - 5.0).abs() < 1e-9);
        let trace = counts.trace(&[0, 1], Window::default(), 1).unwrap();
        let of = |function, minute: u64| {
            let requests = trace.requests.iter();
            requests
                .filter(|r| r.function == function && r.arrival_ns / 60_000_000_000 == minute)
                .count()
        };
        assert_eq!([of(0, 0), of(0, 1), of(0, 2), of(1, 1)], [3, 0, 1, 5]);
        assert_eq!(trace.duration_ns, 180_000_000_000);
        assert_eq!(trace.cpu_ns(), 8_500_000_000);
    }

    #[test]
    fn only_the_chosen_are_there_and_scaled() {
        let window = Window {
            time_scale: 1.0 / 60.0,
            cpu_scale: 0.1,
            ..Window::default()
        };
        let trace = counts().trace(&[1], window, 1).unwrap();
        assert_eq!(trace.functions, ["b"]);
        assert_eq!(trace.duration_ns, 3_000_000_000);
        assert!(trace.requests.iter().all(|r| r.cpu_ns == 100_000_000));
        let within = 1_000_000_000..2_000_000_000;
        assert!(
            trace
                .requests
                .iter()
                .all(|r| within.contains(&r.arrival_ns))
        );
    }

    #[test]
    fn too_many_are_refused_before_they_are_made() {
        let mut counts = counts();
        counts.functions[0].cells[0].count = u32::MAX;
        assert!(counts.trace(&[0], Window::default(), 1).unwrap_err() > 4_000_000_000);
    }
}
