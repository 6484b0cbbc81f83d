// SPDX-License-Identifier: GPL-2.0-only
//! Azure Functions 2019: a day's requests by function and minute
//! (`invocations_per_function_md.anon.dNN.csv`), and how long each function
//! took that day, as percentiles in milliseconds
//! (`function_durations_percentiles.anon.dNN.csv`).

use std::collections::HashMap;

use super::super::cpu_times::CpuTimes;
use super::super::error::TraceError;
use super::super::minutes::{Cell, Counted, MAX_CELLS, MinuteCounts, SECONDS_PER_MINUTE};
use super::super::names::{MAX_FUNCTIONS, Names};
use super::super::number::Number;
use super::super::source::Source;
use super::super::table::Table;
use super::super::window::Window;
use super::short_name;

/// Columns of the table of durations, and the probability each stands for.
///
/// They are percentiles of averages over 30 s, weighted by count; for
/// functions with few requests these are the requests' own.
const PERCENTILES: [(&str, f64); 7] = [
    ("percentile_Average_0", 0.0),
    ("percentile_Average_1", 0.01),
    ("percentile_Average_25", 0.25),
    ("percentile_Average_50", 0.5),
    ("percentile_Average_75", 0.75),
    ("percentile_Average_99", 0.99),
    ("percentile_Average_100", 1.0),
];

const KEY: [&str; 3] = ["HashOwner", "HashApp", "HashFunction"];

/// Reads the minutes of `window`.
///
/// # Errors
/// When one of the files is no such table, or the window has no minute of it.
pub fn read(counts: Source, durations: Source, window: Window) -> Result<MinuteCounts, TraceError> {
    let durations = Durations::read(durations)?;
    let mut table = Table::new(counts)?;
    let key = Key::of(&table)?;
    let minutes = minutes_of(&table, window)?;

    let mut functions: Vec<Counted> = Vec::new();
    let mut names = Names::default();
    let mut without_times = 0;
    let mut kept = 0;
    while table.advance()? {
        let mut cells = Vec::new();
        for (minute, &column) in (0..).zip(&minutes) {
            match table.number(column, Number::Whole)? {
                0.0 => {}
                count => cells.push(Cell {
                    minute,
                    count: u32::try_from(count as u64).unwrap_or(u32::MAX),
                }),
            }
        }
        if cells.is_empty() {
            continue;
        }
        let Some(cpu) = durations.of(&key.joined(&table)) else {
            without_times += 1;
            continue;
        };
        kept += cells.len();
        if kept > MAX_CELLS {
            return Err(table.error(
                format!("more than {MAX_CELLS} counts"),
                "read a part with --from and --seconds",
            ));
        }
        let number = names
            .shortened(&key.joined(&table), &key.short(&table))
            .map_err(|(what, advice)| table.error(what, advice))? as usize;
        match functions.get_mut(number) {
            Some(function) => function.cells.append(&mut cells),
            None => functions.push(Counted {
                name: String::new(),
                cells,
                cpu,
            }),
        }
    }
    for (function, name) in functions.iter_mut().zip(names.into_vec()) {
        function.name = name;
    }
    Ok(MinuteCounts {
        functions,
        minutes: minutes.len() as u32,
        without_times,
    })
}

/// The columns of the window's minutes, which are called 1, 2, 3 …
fn minutes_of(table: &Table, window: Window) -> Result<Vec<usize>, TraceError> {
    let first = (window.from_s / SECONDS_PER_MINUTE).floor() as usize;
    let until = (window.until_s() / SECONDS_PER_MINUTE).ceil() as usize;
    let by_name: HashMap<&str, usize> = (0..)
        .zip(table.columns())
        .map(|(column, name)| (name.as_str(), column))
        .collect();
    let columns: Vec<usize> = (1..)
        .map_while(|minute: usize| by_name.get(minute.to_string().as_str()).copied())
        .collect();
    let window = columns.get(first..until.min(columns.len()));
    match window {
        Some(window) if !window.is_empty() => Ok(window.to_vec()),
        _ => Err(table.source().error_of_file(
            format!(
                "the window begins after the file's {} minutes",
                columns.len()
            ),
            "choose another with --from, or another day's files",
        )),
    }
}

/// Where a function's owner, app and own name are.
struct Key([usize; 3]);

impl Key {
    fn of(table: &Table) -> Result<Self, TraceError> {
        let [owner, app, function] = KEY;
        Ok(Self([
            table.column(owner)?,
            table.column(app)?,
            table.column(function)?,
        ]))
    }

    fn joined(&self, table: &Table) -> String {
        self.0.map(|column| table.field(column)).join("-")
    }

    fn short(&self, table: &Table) -> String {
        short_name(&self.0.map(|column| table.field(column))[1..])
    }
}

/// How long functions took.
struct Durations(HashMap<String, [f32; PERCENTILES.len()]>);

impl Durations {
    fn read(source: Source) -> Result<Self, TraceError> {
        let mut table = Table::new(source)?;
        let key = Key::of(&table)?;
        let mut columns = [0; PERCENTILES.len()];
        for (column, (name, _)) in columns.iter_mut().zip(PERCENTILES) {
            *column = table.column(name)?;
        }
        let mut durations = HashMap::new();
        while table.advance()? {
            let mut percentiles_s = [0.0; PERCENTILES.len()];
            let mut below_ms = 0.0;
            for (place, column) in percentiles_s.iter_mut().zip(columns) {
                let value_ms = table.number(column, Number::NotNegative)?;
                if value_ms < below_ms {
                    return Err(table.error(
                        format!("the percentiles fall from {below_ms} to {value_ms}"),
                        "are the columns in their places?",
                    ));
                }
                below_ms = value_ms;
                *place = (value_ms / 1e3) as f32;
            }
            if durations.len() >= MAX_FUNCTIONS {
                return Err(table.error(
                    format!("more than {MAX_FUNCTIONS} functions"),
                    "remove some",
                ));
            }
            durations.insert(key.joined(&table), percentiles_s);
        }
        Ok(Self(durations))
    }

    fn of(&self, key: &str) -> Option<CpuTimes> {
        let percentiles_s = self.0.get(key)?;
        let quantiles = PERCENTILES.iter().zip(percentiles_s);
        Some(CpuTimes::Quantiles(
            quantiles
                .map(|(&(_, probability), &value_s)| (probability, f64::from(value_s)))
                .collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const DURATIONS: &str = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,\
        percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,\
        percentile_Average_75,percentile_Average_99,percentile_Average_100\n\
        o1,app1app1app1,fun1fun1fun1,100,9,1,500,1,2,50,100,150,400,500\n\
        o1,app1app1app1,fun2fun2fun2,7,9,7,7,7,7,7,7,7,7,7\n";

    /// A day of `minutes` minutes with these rows of counts.
    fn counts(minutes: usize, rows: &[(&str, &[u32])]) -> String {
        let mut text = "HashOwner,HashApp,HashFunction,Trigger".to_owned();
        for minute in 1..=minutes {
            text += &format!(",{minute}");
        }
        for (function, counts) in rows {
            text += &format!("\no1,app1app1app1,{function},http");
            for minute in 0..minutes {
                text += &format!(",{}", counts.get(minute).unwrap_or(&0));
            }
        }
        text + "\n"
    }

    fn read_both(
        counts: &str,
        durations: &str,
        window: Window,
    ) -> Result<MinuteCounts, TraceError> {
        let source =
            |name: &str, text: &str| Source::new(name, Cursor::new(text.as_bytes().to_vec()));
        read(
            source("counts.csv", counts)?,
            source("durations.csv", durations)?,
            window,
        )
    }

    #[test]
    fn a_day_is_read_with_its_durations() {
        let text = counts(
            1440,
            &[
                ("fun1fun1fun1", &[0, 5, 2]),
                ("fun2fun2fun2", &[1]),
                ("lost", &[1]),
            ],
        );
        let day = read_both(&text, DURATIONS, Window::default()).unwrap();
        assert_eq!(day.minutes, 1440);
        assert_eq!(day.without_times, 1);
        let names: Vec<&str> = day.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["app1app1-fun1fun1", "app1app1-fun2fun2"]);
        let cell = |minute, count| Cell { minute, count };
        assert_eq!(day.functions[0].cells, [cell(1, 5), cell(2, 2)]);
        assert!((day.functions[0].cpu.at(0, 0.5) - 0.1).abs() < 1e-6);
        assert!((day.functions[1].cpu.mean(0) - 0.007).abs() < 1e-6);
    }

    #[test]
    fn the_window_is_in_whole_minutes() {
        let text = counts(10, &[("fun1fun1fun1", &[1, 2, 3, 4, 5])]);
        let window = Window {
            from_s: 61.0,
            seconds: Some(100.0),
            ..Window::default()
        };
        let part = read_both(&text, DURATIONS, window).unwrap();
        assert_eq!(part.minutes, 2);
        assert_eq!(part.functions[0].cells.len(), 2);
        assert_eq!(part.functions[0].cells[0].count, 2);
        let late = Window {
            from_s: 600.0,
            ..Window::default()
        };
        let error = read_both(&text, DURATIONS, late).unwrap_err();
        assert_eq!(error.what, "the window begins after the file's 10 minutes");
    }

    #[test]
    fn rows_of_one_function_add_up() {
        let text = counts(2, &[("fun1fun1fun1", &[1, 2]), ("fun1fun1fun1", &[3])]);
        let day = read_both(&text, DURATIONS, Window::default()).unwrap();
        assert_eq!(day.functions.len(), 1);
        assert_eq!(day.functions[0].cells.len(), 3);
    }

    #[test]
    fn mistakes_have_their_file_and_line() {
        let good = counts(2, &[("fun1fun1fun1", &[1, 2])]);
        let bad = |row: &str| format!("{good}o1,app1app1app1,fun1fun1fun1,{row}\n");
        for (text, what) in [
            (bad("http,-1,0"), "1 '-1' is negative"),
            (bad("http,0,1.5"), "2 '1.5' is not whole"),
            (bad("http,0"), "5 fields where the header has 6"),
        ] {
            let error = read_both(&text, DURATIONS, Window::default()).unwrap_err();
            assert_eq!((error.file.as_str(), error.line), ("counts.csv", Some(3)));
            assert_eq!(error.what, what);
        }
        let falling = DURATIONS.replace(",50,100,150,", ",50,40,150,");
        let error = read_both(&good, &falling, Window::default()).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.line),
            ("durations.csv", Some(2))
        );
        assert_eq!(error.what, "the percentiles fall from 50 to 40");
    }
}
