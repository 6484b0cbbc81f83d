// SPDX-License-Identifier: GPL-2.0-only
//! What became of a request, as its client saw it.

/// Times are of the monotonic clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// When the client turned to it.
    pub woken_ns: u64,
    /// When all of the answer was there, or it was clear that none comes.
    pub end_ns: u64,
    /// The HTTP status; `None`: there was no answer.
    pub status: Option<u16>,
    /// Why there was none, or what the error was.
    pub error: Option<String>,
    /// What the worker says it took.
    pub timing: Timing,
}

/// The parts of a `Server-Timing` header that this program's worker sends;
/// another server's answers have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From the start of the function's process to its end.
    pub run_ns: Option<u64>,
    pub cpu_ns: Option<u64>,
    pub switches: Option<u64>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        self.status == Some(200)
    }
}

impl Timing {
    /// Reads a header's value, as far as it is known.
    pub fn parse(text: &str) -> Self {
        let mut timing = Self::default();
        for metric in text.split(',') {
            let mut parts = metric.split(';').map(str::trim);
            let name = parts.next().unwrap_or("");
            for part in parts {
                let duration_ns = || {
                    let ms: f64 = part.strip_prefix("dur=")?.parse().ok()?;
                    (0.0..=1e12).contains(&ms).then_some((ms * 1e6) as u64)
                };
                match name {
                    "run" => timing.run_ns = duration_ns().or(timing.run_ns),
                    "cpu" => timing.cpu_ns = duration_ns().or(timing.cpu_ns),
                    "switches" => {
                        let number = part.strip_prefix("desc=");
                        timing.switches = number.and_then(|n| n.trim_matches('"').parse().ok());
                    }
                    _ => {}
                }
            }
        }
        timing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timings_are_read() {
        let text = "queue;dur=0.300, run;dur=20.5, cpu;dur=4.25, switches;desc=5";
        let timing = Timing {
            run_ns: Some(20_500_000),
            cpu_ns: Some(4_250_000),
            switches: Some(5),
        };
        assert_eq!(Timing::parse(text), timing);
        assert_eq!(Timing::parse("cache;desc=\"x\", db"), Timing::default());
        assert_eq!(Timing::parse("run;dur=NaN, cpu;dur=-1"), Timing::default());
    }

    proptest! {
        #[test]
        fn any_header_is_read(text in "\\PC{0,80}") {
            let _ = Timing::parse(&text);
        }
    }
}
