// SPDX-License-Identifier: GPL-2.0-only
//! Azure Functions 2021: `app,func,end_timestamp,duration`, times in seconds,
//! one row an invocation. Functions are unique only within their app.
//!
//! The rows are not in the order of arrival, so those of the window are kept
//! and sorted.

use super::super::builder::Builder;
use super::super::error::TraceError;
use super::super::number::Number;
use super::super::source::Source;
use super::super::table::Table;
use super::super::window::Window;
use super::super::{NS_PER_S, Trace};
use super::short_name;

/// Reads the invocations that began in `window`. Those that began before the
/// recording did are left out.
///
/// # Errors
/// When a row is no invocation.
pub fn read(source: Source, window: Window) -> Result<Trace, TraceError> {
    let mut table = Table::new(source)?;
    let [app, func, end, duration] = [
        table.column("app")?,
        table.column("func")?,
        table.column("end_timestamp")?,
        table.column("duration")?,
    ];
    let mut builder = Builder::new(window);
    let mut end_s = 0.0f64;
    while table.advance()? {
        let ended_s = table.number(end, Number::NotNegative)?;
        let duration_s = table.number(duration, Number::NotNegative)?;
        end_s = end_s.max(ended_s);
        let key = [table.field(app), table.field(func)];
        builder
            .add(
                |names| names.shortened(&key.join("-"), &short_name(&key)),
                (ended_s - duration_s) * NS_PER_S,
                duration_s * NS_PER_S,
            )
            .map_err(|(what, advice)| table.error(what, advice))?;
    }
    Ok(builder.finish(Some(end_s * NS_PER_S)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const FILE: &str = "app,func,end_timestamp,duration\n\
        aaaaaaaaaa,ffffffffff,10.5,0.5\n\
        aaaaaaaaaa,gggggggggg,12.0,4.0\n\
        bbbbbbbbbb,ffffffffff,11.0,0\n\
        bbbbbbbbbb,ffffffffff,1.0,2\n";

    fn trace(text: &str, window: Window) -> Result<Trace, TraceError> {
        let text = text.as_bytes().to_vec();
        read(Source::new("a.txt", Cursor::new(text))?, window)
    }

    #[test]
    fn an_invocation_arrives_its_duration_before_its_end() {
        let trace = trace(FILE, Window::default()).unwrap();
        assert_eq!(
            trace.functions,
            [
                "aaaaaaaa-ffffffff",
                "aaaaaaaa-gggggggg",
                "bbbbbbbb-ffffffff"
            ]
        );
        let arrivals: Vec<u64> = trace.requests.iter().map(|r| r.arrival_ns).collect();
        assert_eq!(arrivals, [8_000_000_000, 10_000_000_000, 11_000_000_000]);
        assert_eq!(trace.requests[2].cpu_ns, 1_000, "no time is a microsecond");
        assert_eq!(trace.duration_ns, 12_000_000_000);
    }

    #[test]
    fn only_the_window_is_kept() {
        let window = Window {
            from_s: 9.0,
            seconds: Some(2.0),
            time_scale: 0.5,
            cpu_scale: 0.1,
        };
        let trace = trace(FILE, window).unwrap();
        assert_eq!(trace.requests.len(), 1);
        assert_eq!(trace.requests[0].arrival_ns, 500_000_000);
        assert_eq!(trace.requests[0].cpu_ns, 50_000_000);
        assert_eq!(trace.duration_ns, 1_000_000_000);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (row, what) in [
            ("a,f,1,-1", "duration '-1' is negative"),
            ("a,f,,1", "end_timestamp is missing"),
            ("a,f,1", "3 fields where the header has 4"),
        ] {
            let error = trace(&format!("{FILE}{row}\n"), Window::default()).unwrap_err();
            assert_eq!((error.line, error.what.as_str()), (Some(6), what));
        }
    }
}
