// SPDX-License-Identifier: GPL-2.0-only
//! A trace, built request by request.

use super::error::Complaint;
use super::names::Names;
use super::window::{MAX_REQUESTS, Window};
use super::{NS_PER_S, Request, Trace};

/// Requests of a window, read so far.
#[derive(Debug)]
pub struct Builder {
    window: Window,
    names: Names,
    requests: Vec<Request>,
}

impl Builder {
    /// Nothing yet of `window`.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            names: Names::default(),
            requests: Vec::new(),
        }
    }

    /// Adds a request if the window has it.
    ///
    /// `name` numbers the function; times are in nanoseconds of the recording.
    ///
    /// # Errors
    /// When there are too many requests or the function cannot be named so.
    pub fn add(
        &mut self,
        name: impl FnOnce(&mut Names) -> Result<u32, Complaint>,
        arrival_ns: f64,
        cpu_ns: f64,
    ) -> Result<(), Complaint> {
        if !self.window.has(arrival_ns) {
            return Ok(());
        }
        if self.requests.len() >= MAX_REQUESTS {
            return Err((
                format!("more than {MAX_REQUESTS} requests"),
                "read a part with --from and --seconds",
            ));
        }
        let function = name(&mut self.names)?;
        self.requests.push(Request {
            arrival_ns: self.window.arrival_ns(arrival_ns),
            function,
            cpu_ns: self.window.cpu_ns(cpu_ns),
        });
        Ok(())
    }

    /// The trace of what was added.
    ///
    /// It lasts as long as the window; where that has no end, to `end_ns` of
    /// the recording, and where that is not known either, to the last arrival
    /// and the mean time between two.
    pub fn finish(mut self, end_ns: Option<f64>) -> Trace {
        if !self.requests.is_sorted_by_key(|r| r.arrival_ns) {
            self.requests.sort_by_key(|r| r.arrival_ns);
        }
        let window_end_ns = self.window.until_s() * NS_PER_S;
        let end_ns = self.window.seconds.map(|_| window_end_ns).or(end_ns);
        let last_ns = self.requests.last().map_or(0, |r| r.arrival_ns);
        let first_ns = self.requests.first().map_or(0, |r| r.arrival_ns);
        let gaps = self.requests.len().saturating_sub(1).max(1) as u64;
        let duration_ns = match end_ns {
            Some(end_ns) => self.window.arrival_ns(end_ns).max(last_ns),
            None => last_ns + ((last_ns - first_ns) / gaps).max(1),
        };
        Trace {
            functions: self.names.into_vec(),
            requests: self.requests,
            duration_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(window: Window, arrivals_s: &[f64], end_s: Option<f64>) -> Trace {
        let mut builder = Builder::new(window);
        for &arrival_s in arrivals_s {
            builder
                .add(|names| names.number("f"), arrival_s * NS_PER_S, 1e6)
                .unwrap();
        }
        builder.finish(end_s.map(|end_s| end_s * NS_PER_S))
    }

    #[test]
    fn lasts_as_long_as_is_known() {
        let seconds = |trace: Trace| trace.duration_ns as f64 / NS_PER_S;
        let part = Window {
            from_s: 1.0,
            seconds: Some(10.0),
            ..Window::default()
        };
        assert_eq!(seconds(built(part, &[0.5, 1.5, 2.0], None)), 10.0);
        assert_eq!(seconds(built(Window::default(), &[1.0], Some(4.0))), 4.0);
        assert_eq!(
            seconds(built(Window::default(), &[1.0, 2.0, 4.0], None)),
            5.5
        );
    }

    #[test]
    fn requests_come_out_in_order() {
        let trace = built(Window::default(), &[3.0, 1.0], None);
        assert!(trace.requests.is_sorted_by_key(|r| r.arrival_ns));
        assert_eq!(trace.requests.len(), 2);
    }
}
