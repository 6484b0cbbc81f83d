// SPDX-License-Identifier: GPL-2.0-only
//! A recording brought to a machine: which of its functions, and how fast.

use std::fmt;

use super::minutes::{MinuteCounts, SECONDS_PER_MINUTE};
use super::scale::choose_functions;
use super::window::{MAX_REQUESTS, Window};
use super::{NS_PER_S, Recording, Trace};

/// Loads there can be.
const LOADS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// What is asked for of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// CPU time asked for over CPU time there is; `None`: as recorded.
    pub load: Option<f64>,
    /// CPUs the load is meant for.
    pub cpus: u32,
    /// The longest time over which requests arrive; `None`: all there is.
    pub longest_ns: Option<u64>,
    /// Choose this many functions.
    pub functions: Option<usize>,
    /// Choose functions rather than stretch time as far as the load asks for;
    /// for recordings of a whole platform.
    pub sample: bool,
    /// Decides which functions.
    pub seed: u64,
}

/// A trace, and what was done for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    pub trace: Trace,
    /// Functions of the recording's window.
    pub functions: usize,
    /// What times between arrivals were multiplied by to meet the load,
    /// beside the window's scale.
    pub stretch: f64,
}

/// Why a recording gives no trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FitError {
    /// There is no CPU to put a load on.
    NoCpu,
    /// The load is none.
    Load(f64),
    /// The window has no requests.
    Empty,
    /// It has this many requests, which are too many.
    TooMany(u64),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoCpu => write!(f, "a load needs at least one CPU"),
            Self::Load(load) => write!(
                f,
                "load {load} is none; pass {} to {}, such as 0.9",
                LOADS.start(),
                LOADS.end()
            ),
            Self::Empty => write!(
                f,
                "there is no request in this part of the trace; choose another with --from \
                 and --seconds"
            ),
            Self::TooMany(requests) => write!(
                f,
                "{requests} requests are too many (at most {MAX_REQUESTS}); pass a --load or \
                 --functions, or fewer --seconds"
            ),
        }
    }
}

impl std::error::Error for FitError {}

impl Recording {
    /// The trace of `fit`; `window` is what the recording was read with.
    ///
    /// # Errors
    /// When there is no such trace.
    pub fn fit(&self, window: Window, fit: Fit) -> Result<Fitted, FitError> {
        if fit.cpus == 0 {
            return Err(FitError::NoCpu);
        }
        if let Some(load) = fit.load.filter(|load| !LOADS.contains(load)) {
            return Err(FitError::Load(load));
        }
        let (chosen, functions) = match self {
            Self::Requests(trace) => (fit.choose(trace), trace.functions.len()),
            Self::Minutes(counts) => (
                fit.choose_counted(counts, window)?,
                counts.functions.len() + counts.without_times,
            ),
        };
        if chosen.requests.is_empty() {
            return Err(FitError::Empty);
        }
        let fitted = match (fit.load, fit.longest_ns) {
            (Some(load), longest_ns) => chosen.at_load(load, fit.cpus, longest_ns),
            (None, Some(longest_ns)) => chosen.first(longest_ns),
            (None, None) => chosen.clone(),
        };
        if fitted.requests.is_empty() {
            return Err(FitError::Empty);
        }
        Ok(Fitted {
            stretch: fit.stretch(&chosen, &fitted),
            trace: fitted.without_idle_functions(),
            functions,
        })
    }
}

impl Fit {
    /// The CPU time to choose functions by, in seconds.
    fn target_s(&self, duration_ns: f64) -> Option<f64> {
        let load = self.load.filter(|_| self.sample)?;
        let longest_ns = self.longest_ns.map_or(f64::INFINITY, |ns| ns as f64);
        Some(load * f64::from(self.cpus) * duration_ns.min(longest_ns) / NS_PER_S)
    }

    fn choose(&self, trace: &Trace) -> Trace {
        let target_s = self.target_s(trace.duration_ns as f64);
        if target_s.is_none() && self.functions.is_none() {
            return trace.clone();
        }
        let cpu_s = trace.cpu_s_by_function();
        trace.of_functions(&choose_functions(
            &cpu_s,
            target_s,
            self.functions,
            self.seed,
        ))
    }

    fn choose_counted(&self, counts: &MinuteCounts, window: Window) -> Result<Trace, FitError> {
        let duration_s = f64::from(counts.minutes) * SECONDS_PER_MINUTE * window.time_scale;
        let cpu_s: Vec<f64> = counts
            .functions
            .iter()
            .map(|function| function.cpu_s() * window.cpu_scale)
            .collect();
        let chosen = choose_functions(
            &cpu_s,
            self.target_s(duration_s * NS_PER_S),
            self.functions,
            self.seed,
        );
        counts
            .trace(&chosen, window, self.seed)
            .map_err(FitError::TooMany)
    }

    /// By what the last request of `fitted` comes later than in `chosen`.
    fn stretch(&self, chosen: &Trace, fitted: &Trace) -> f64 {
        let last = fitted.requests.len() - 1;
        match (chosen.requests.get(last), fitted.requests.get(last)) {
            (Some(before), Some(after)) if before.arrival_ns > 0 => {
                after.arrival_ns as f64 / before.arrival_ns as f64
            }
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Cell, Counted, CpuTimes, Request};
    use super::*;

    const ANY: Fit = Fit {
        load: None,
        cpus: 2,
        longest_ns: None,
        functions: None,
        sample: false,
        seed: 1,
    };

    /// An hour of `functions` functions, asked for now and then.
    fn counts(functions: u32) -> MinuteCounts {
        let counted = |function: u32| Counted {
            name: format!("f{function}"),
            cells: (0..60)
                .filter(|minute| (minute * 7 + function).is_multiple_of(11))
                .map(|minute| Cell {
                    minute,
                    count: 1 + function % 4,
                })
                .collect(),
            cpu: CpuTimes::Quantiles(vec![(0.0, 0.1), (0.5, 0.5), (1.0, 10.0)]),
        };
        MinuteCounts {
            functions: (0..functions).map(counted).collect(),
            minutes: 60,
            without_times: 3,
        }
    }

    fn a_minute_a_second() -> Window {
        Window {
            time_scale: 1.0 / 60.0,
            cpu_scale: 1.0 / 60.0,
            ..Window::default()
        }
    }

    #[test]
    fn a_platform_is_sampled_down_to_a_machine() {
        let recording = Recording::Minutes(counts(1000));
        let fit = Fit {
            load: Some(0.9),
            sample: true,
            ..ANY
        };
        let fitted = recording.fit(a_minute_a_second(), fit).unwrap();
        assert!((fitted.trace.load(2) - 0.9).abs() < 1e-6);
        assert_eq!(fitted.functions, 1003);
        assert!((20..400).contains(&fitted.trace.functions.len()));
        assert!((0.8..1.2).contains(&fitted.stretch), "{}", fitted.stretch);
        let seconds = fitted.trace.duration_ns as f64 / NS_PER_S;
        assert!((48.0..72.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn seeds_choose_other_functions() {
        let recording = Recording::Minutes(counts(200));
        let trace = |seed| {
            let fit = Fit {
                functions: Some(10),
                seed,
                ..ANY
            };
            recording.fit(Window::default(), fit).unwrap().trace
        };
        assert_eq!(trace(1), trace(1));
        assert_ne!(trace(1).functions, trace(2).functions);
        assert_eq!(trace(1).functions.len(), 10);
    }

    #[test]
    fn what_gives_no_trace_says_why() {
        let recording = Recording::Minutes(counts(3));
        let error = |fit| recording.fit(Window::default(), fit).unwrap_err();
        assert_eq!(error(Fit { cpus: 0, ..ANY }), FitError::NoCpu);
        for load in [0.0, -1.0, 1e9] {
            let fit = Fit {
                load: Some(load),
                ..ANY
            };
            assert_eq!(error(fit), FitError::Load(load));
        }
        let nothing = Recording::Minutes(counts(0));
        assert_eq!(nothing.fit(Window::default(), ANY), Err(FitError::Empty));
        let instant = Fit {
            longest_ns: Some(0),
            ..ANY
        };
        assert_eq!(error(instant), FitError::Empty);
    }

    proptest! {
        #[test]
        fn any_recording_is_fitted_or_an_error(
            mut requests in prop::collection::vec((0u64..u64::MAX / 4, 0u32..5, 1u64..u64::MAX / 1000), 0..20),
            load in prop::option::of(0.001..1000.0f64),
            cpus in 1u32..1000,
            longest_ns in prop::option::of(any::<u64>()),
            functions in prop::option::of(0usize..6),
            sample: bool,
        ) {
            requests.sort_unstable();
            let trace = Trace {
                functions: (0..5).map(|f| format!("f{f}")).collect(),
                requests: requests
                    .iter()
                    .map(|&(arrival_ns, function, cpu_ns)| Request { arrival_ns, function, cpu_ns })
                    .collect(),
                duration_ns: requests.last().map_or(0, |r| r.0),
            };
            let fit = Fit { load, cpus, longest_ns, functions, sample, seed: 1 };
            if let Ok(fitted) = Recording::Requests(trace).fit(Window::default(), fit) {
                let functions = fitted.trace.functions.len();
                prop_assert!(!fitted.trace.requests.is_empty());
                prop_assert!(fitted.trace.requests.iter().all(|r| (r.function as usize) < functions));
                prop_assert!(fitted.trace.requests.is_sorted_by_key(|r| r.arrival_ns));
            }
        }
    }
}
