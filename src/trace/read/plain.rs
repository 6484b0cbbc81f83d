// SPDX-License-Identifier: GPL-2.0-only
//! The plain format: `arrival_us,function,cpu_us`, in the order of arrival.

use super::super::Trace;
use super::super::builder::Builder;
use super::super::error::TraceError;
use super::super::number::Number;
use super::super::source::Source;
use super::super::table::Table;
use super::super::window::Window;

const NS_PER_US: f64 = 1e3;

/// Reads the requests of `window`.
///
/// # Errors
/// When a row is no request, or arrives before the one above it.
pub fn read(source: Source, window: Window) -> Result<Trace, TraceError> {
    let mut table = Table::new(source)?;
    let [arrival, function, cpu] = [
        table.column("arrival_us")?,
        table.column("function")?,
        table.column("cpu_us")?,
    ];
    let mut builder = Builder::new(window);
    let mut previous_us = 0.0;
    while table.advance()? {
        let arrival_us = table.number(arrival, Number::NotNegative)?;
        let cpu_us = table.number(cpu, Number::Positive)?;
        if arrival_us < previous_us {
            return Err(table.error(
                format!("arrival_us {arrival_us} is before that of the row above, {previous_us}"),
                "sort the rows by it",
            ));
        }
        previous_us = arrival_us;
        let name = table.field(function).trim();
        builder
            .add(
                |names| names.number(name),
                arrival_us * NS_PER_US,
                cpu_us * NS_PER_US,
            )
            .map_err(|(what, advice)| table.error(what, advice))?;
    }
    Ok(builder.finish(None))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn trace(text: &str) -> Result<Trace, TraceError> {
        let text = text.as_bytes().to_vec();
        read(Source::new("a.csv", Cursor::new(text))?, Window::default())
    }

    #[test]
    fn columns_may_be_in_any_order() {
        let trace = trace("cpu_us,more,function,arrival_us\n1500.5,x,\"f,1\",10\n20,x,g,10\n");
        let trace = trace.unwrap();
        assert_eq!(trace.functions, ["f,1", "g"]);
        assert_eq!(trace.requests[0].cpu_ns, 1_500_500);
        assert_eq!(trace.requests[1].arrival_ns, 10_000);
    }

    #[test]
    fn mistakes_have_their_line() {
        let header = "arrival_us,function,cpu_us\n5,f,1\n";
        for (row, what) in [
            ("4,f,1", "arrival_us 4 is before that of the row above, 5"),
            ("-4,f,1", "arrival_us '-4' is negative"),
            ("6,f,0", "cpu_us is 0"),
            ("6,f,x", "cpu_us 'x' is no number"),
            ("6,f", "2 fields where the header has 3"),
            ("6,,1", "the function has no name"),
            (
                "6,../f,1",
                "the function's name '../f' begins with a dot or has a slash, blank or control character",
            ),
        ] {
            let error = trace(&format!("{header}{row}\n")).unwrap_err();
            assert_eq!((error.line, error.what.as_str()), (Some(3), what));
        }
    }
}
