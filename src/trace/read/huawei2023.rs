// SPDX-License-Identifier: GPL-2.0-only
//! Huawei 2023: wide tables, a row a minute and a column a function
//! (`day,time,0,1,…`), one table for each metric and day. Empty and `NaN`
//! fields are minutes that nothing was measured in.

use std::collections::HashMap;

use super::super::cpu_times::CpuTimes;
use super::super::error::{TraceError, quoted};
use super::super::minutes::{Cell, Counted, MAX_CELLS, MinuteCounts, SECONDS_PER_MINUTE};
use super::super::names::MAX_FUNCTIONS;
use super::super::number::Number;
use super::super::source::Source;
use super::super::table::Table;
use super::super::window::Window;

const MS_PER_S: f64 = 1e3;

/// The metrics that are read, as the published folders are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Requests a minute.
    Requests,
    /// Mean execution time, in milliseconds.
    Delay,
    /// CPU used, as a part of a pod's limit.
    Usage,
    /// CPU allocated to a pod, in cores.
    Limit,
    /// Pods.
    Instances,
}

impl Metric {
    const ALL: [Self; 5] = [
        Self::Requests,
        Self::Delay,
        Self::Usage,
        Self::Limit,
        Self::Instances,
    ];

    /// The metric's folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Requests => "requests_minute",
            Self::Delay => "function_delay_minute",
            Self::Usage => "cpu_usage_minute",
            Self::Limit => "cpu_limit_minute",
            Self::Instances => "instances_minute",
        }
    }

    /// The metric in the file called `path`, which has the folder's name
    /// somewhere.
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|metric| path.contains(metric.folder()))
    }
}

/// The files of one day.
#[derive(Debug, Default)]
pub struct Files {
    pub requests: Option<Source>,
    pub delay: Option<Source>,
    pub usage: Option<Source>,
    pub limit: Option<Source>,
    pub instances: Option<Source>,
}

impl Files {
    /// Where the file of `metric` goes.
    pub fn place(&mut self, metric: Metric) -> &mut Option<Source> {
        match metric {
            Metric::Requests => &mut self.requests,
            Metric::Delay => &mut self.delay,
            Metric::Usage => &mut self.usage,
            Metric::Limit => &mut self.limit,
            Metric::Instances => &mut self.instances,
        }
    }
}

/// Reads the minutes of `window`, counted from the first row.
///
/// A request's CPU time in a minute is, by what is there of the files:
/// `usage × limit × instances × 60 s / requests`, or `delay × usage`, or
/// `delay`. A minute without those figures takes the function's mean.
///
/// # Errors
/// When a file is no such table, the tables do not go together, or there are
/// not enough of them.
pub fn read(files: Files, window: Window) -> Result<MinuteCounts, TraceError> {
    let Some(requests) = files.requests else {
        return Err(TraceError {
            file: Metric::Requests.folder().into(),
            line: None,
            what: "no file with the requests was given".into(),
            advice: "pass that file with --trace".into(),
        });
    };
    let mut requests = Wide::new(requests)?;
    let mut costs = Costs::new(
        files.delay,
        files.usage,
        files.limit,
        files.instances,
        &requests,
    )?;
    let mut columns: Vec<Column> = Vec::new();
    columns.resize_with(requests.functions(), Column::default);

    let first = (window.from_s / SECONDS_PER_MINUTE).floor();
    let until = (window.until_s() / SECONDS_PER_MINUTE).ceil();
    let mut clock = Clock::default();
    let mut minutes = 0;
    let mut kept = 0;
    while requests.table.advance()? {
        let minute = clock.minute(&requests)?;
        if minute >= until {
            break;
        }
        costs.advance(&requests)?;
        if minute < first {
            continue;
        }
        let minute = (minute - first) as u32;
        minutes = minute + 1;
        for (index, column) in columns.iter_mut().enumerate() {
            let count = requests.value(index)?;
            if count == 0.0 {
                continue;
            }
            kept += 1;
            if kept > MAX_CELLS {
                return Err(requests.table.error(
                    format!("more than {MAX_CELLS} counts"),
                    "read a part with --from and --seconds",
                ));
            }
            let count = count.round().clamp(1.0, f64::from(u32::MAX));
            column.cells.push(Cell {
                minute,
                count: count as u32,
            });
            column.means_s.push(costs.mean_s(index, count)? as f32);
        }
    }
    if minutes == 0 {
        return Err(requests.table.source().error_of_file(
            format!(
                "the window has none of the file's {:.0} minutes",
                clock.minutes()
            ),
            "choose another with --from, or another day's files",
        ));
    }
    Ok(collect(&requests, columns, minutes))
}

/// A function's minutes.
#[derive(Default)]
struct Column {
    cells: Vec<Cell>,
    /// The mean CPU time of each; 0 where it is not known.
    means_s: Vec<f32>,
}

impl Column {
    /// Gives minutes without a mean that of the others; false if there are
    /// none.
    fn fill(&mut self) -> bool {
        let known = self.means_s.iter().zip(&self.cells);
        let (cpu_s, count) = known.filter(|&(&mean_s, _)| mean_s > 0.0).fold(
            (0.0, 0.0),
            |(cpu_s, count), (&mean_s, cell)| {
                let requests = f64::from(cell.count);
                (cpu_s + f64::from(mean_s) * requests, count + requests)
            },
        );
        let mean_s = if count > 0.0 { cpu_s / count } else { 0.0 };
        for place in self.means_s.iter_mut().filter(|mean_s| **mean_s == 0.0) {
            *place = mean_s as f32;
        }
        mean_s > 0.0
    }
}

fn collect(requests: &Wide, columns: Vec<Column>, minutes: u32) -> MinuteCounts {
    let mut counts = MinuteCounts {
        functions: Vec::new(),
        minutes,
        without_times: 0,
    };
    for (index, mut column) in columns.into_iter().enumerate() {
        if column.cells.is_empty() {
            continue;
        }
        if !column.fill() {
            counts.without_times += 1;
            continue;
        }
        counts.functions.push(Counted {
            name: format!("f{}", requests.function(index)),
            cells: column.cells,
            cpu: CpuTimes::PerMinute(column.means_s),
        });
    }
    counts
}

/// The minutes of the requests' rows.
#[derive(Default)]
struct Clock {
    first_s: Option<f64>,
    last_s: Option<f64>,
}

impl Clock {
    /// The minute of the row at hand, counted from the first row's.
    fn minute(&mut self, requests: &Wide) -> Result<f64, TraceError> {
        let time_s = requests.time_s()?;
        let first_s = *self.first_s.get_or_insert(time_s);
        let since_s = time_s - first_s;
        if self.last_s.is_some_and(|last_s| time_s <= last_s) {
            return Err(requests.table.error(
                format!("time {time_s} is not after that of the row above"),
                "sort the rows by it",
            ));
        }
        if since_s % SECONDS_PER_MINUTE != 0.0 {
            return Err(requests.table.error(
                format!("time {time_s} is not whole minutes after the first row's, {first_s}"),
                "pass the tables by the minute, not by the second",
            ));
        }
        self.last_s = Some(time_s);
        Ok(since_s / SECONDS_PER_MINUTE)
    }

    /// How many minutes there were so far.
    fn minutes(&self) -> f64 {
        match (self.first_s, self.last_s) {
            (Some(first_s), Some(last_s)) => (last_s - first_s) / SECONDS_PER_MINUTE + 1.0,
            _ => 0.0,
        }
    }
}

/// A wide table.
struct Wide {
    table: Table,
    time: usize,
    /// Columns with functions.
    functions: Vec<usize>,
}

impl Wide {
    fn new(source: Source) -> Result<Self, TraceError> {
        let table = Table::new(source)?;
        let (day, time) = (table.column("day")?, table.column("time")?);
        let functions: Vec<usize> = (0..table.columns().len())
            .filter(|&column| column != day && column != time)
            .collect();
        if let Some(&odd) = functions
            .iter()
            .find(|&&column| table.columns()[column].parse::<u32>().is_err())
        {
            return Err(table.error(
                format!(
                    "the column {} is no function's number",
                    quoted(&table.columns()[odd])
                ),
                "the columns are day, time, 0, 1, 2 …",
            ));
        }
        if functions.is_empty() || functions.len() > MAX_FUNCTIONS {
            return Err(table.error(
                format!("{} columns of functions", functions.len()),
                "the columns are day, time, 0, 1, 2 …",
            ));
        }
        Ok(Self {
            table,
            time,
            functions,
        })
    }

    fn functions(&self) -> usize {
        self.functions.len()
    }

    fn function(&self, index: usize) -> &str {
        &self.table.columns()[self.functions[index]]
    }

    fn time_s(&self) -> Result<f64, TraceError> {
        self.table.number(self.time, Number::NotNegative)
    }

    /// The value for the function `index` in the row at hand; 0 if missing.
    fn value(&self, index: usize) -> Result<f64, TraceError> {
        self.table
            .number(self.functions[index], Number::PerhapsMissing)
    }
}

/// A metric beside the requests, its functions in the order of theirs.
struct Beside {
    wide: Wide,
    /// For each function of the requests, where it is here.
    places: Vec<Option<usize>>,
}

impl Beside {
    fn new(source: Source, requests: &Wide) -> Result<Self, TraceError> {
        let wide = Wide::new(source)?;
        let by_name: HashMap<&str, usize> = (0..wide.functions())
            .map(|place| (wide.function(place), place))
            .collect();
        let places = (0..requests.functions())
            .map(|index| by_name.get(requests.function(index)).copied())
            .collect();
        Ok(Self { places, wide })
    }

    /// Moves on to the minute that the requests are at.
    fn advance(&mut self, requests: &Wide) -> Result<(), TraceError> {
        let time_s = requests.time_s()?;
        if !self.wide.table.advance()? {
            return Err(self.wide.table.error(
                format!("the file ends before time {time_s}"),
                "pass the file of the same day, complete",
            ));
        }
        let own_s = self.wide.time_s()?;
        if own_s != time_s {
            return Err(self.wide.table.error(
                format!("time {own_s} where the requests have {time_s}"),
                "pass the file of the same day, complete",
            ));
        }
        Ok(())
    }

    fn value(&self, index: usize) -> Result<f64, TraceError> {
        self.places[index].map_or(Ok(0.0), |place| self.wide.value(place))
    }
}

/// What tells how much CPU time a request takes.
enum Costs {
    /// Usage, limit and instances.
    Used([Box<Beside>; 3]),
    /// Delay, and usage if there is.
    Delayed(Box<Beside>, Option<Box<Beside>>),
}

impl Costs {
    fn new(
        delay: Option<Source>,
        usage: Option<Source>,
        limit: Option<Source>,
        instances: Option<Source>,
        requests: &Wide,
    ) -> Result<Self, TraceError> {
        let beside = |source| Ok(Box::new(Beside::new(source, requests)?));
        match (delay, usage, limit, instances) {
            (_, Some(usage), Some(limit), Some(instances)) => Ok(Self::Used([
                beside(usage)?,
                beside(limit)?,
                beside(instances)?,
            ])),
            (Some(delay), usage, _, _) => Ok(Self::Delayed(
                beside(delay)?,
                usage.map(beside).transpose()?,
            )),
            _ => Err(requests.table.source().error_of_file(
                "nothing says how long requests take",
                format!("pass the day's {} with --trace too", Metric::Delay.folder()),
            )),
        }
    }

    fn advance(&mut self, requests: &Wide) -> Result<(), TraceError> {
        match self {
            Self::Used(all) => all.iter_mut().try_for_each(|one| one.advance(requests)),
            Self::Delayed(delay, usage) => {
                delay.advance(requests)?;
                usage
                    .as_mut()
                    .map_or(Ok(()), |usage| usage.advance(requests))
            }
        }
    }

    /// The mean CPU time in seconds of `count` requests in the minute at
    /// hand; 0 if it is not known.
    fn mean_s(&self, index: usize, count: f64) -> Result<f64, TraceError> {
        match self {
            Self::Used([usage, limit, instances]) => {
                let cores = usage.value(index)? * limit.value(index)? * instances.value(index)?;
                Ok(cores * SECONDS_PER_MINUTE / count)
            }
            Self::Delayed(delay, usage) => {
                let part = usage.as_ref().map_or(Ok(1.0), |usage| usage.value(index))?;
                Ok(delay.value(index)? / MS_PER_S * part)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const REQUESTS: &str = "day,time,0,1,7\n\
        3,259200,10.0,,NaN\n3,259260,0,4,NaN\n3,259320,20,8,2\n";
    const DELAY: &str = "day,time,1,0,7\n\
        3,259200,,5.0,\n3,259260,100,,\n3,259320,NaN,8,\n";

    fn source(name: &str, text: &str) -> Option<Source> {
        Some(Source::new(name, Cursor::new(text.as_bytes().to_vec())).unwrap())
    }

    fn files(requests: &str, delay: &str) -> Files {
        Files {
            requests: source("requests_minute.csv", requests),
            delay: source("function_delay_minute.csv", delay),
            ..Files::default()
        }
    }

    #[test]
    fn minutes_are_joined_by_time_and_functions_by_number() {
        let counts = read(files(REQUESTS, DELAY), Window::default()).unwrap();
        assert_eq!((counts.minutes, counts.without_times), (3, 1));
        let cell = |minute, count| Cell { minute, count };
        let [f0, f1] = &counts.functions[..] else {
            panic!("{counts:?}");
        };
        assert_eq!((f0.name.as_str(), f1.name.as_str()), ("f0", "f1"));
        assert_eq!(f0.cells, [cell(0, 10), cell(2, 20)]);
        assert_eq!(f0.cpu, CpuTimes::PerMinute(vec![0.005, 0.008]));
        assert_eq!(f1.cells, [cell(1, 4), cell(2, 8)]);
        assert_eq!(
            f1.cpu,
            CpuTimes::PerMinute(vec![0.1, 0.1]),
            "the mean where there is none"
        );
    }

    #[test]
    fn the_cpu_used_is_what_counts_where_it_is_known() {
        let table = |value: &str| {
            let row = |time| format!("3,{time},{value},{value},{value}\n");
            [
                "day,time,0,1,7\n".to_owned(),
                row(259_200),
                row(259_260),
                row(259_320),
            ]
            .concat()
        };
        let mut all = files(REQUESTS, DELAY);
        all.usage = source("u", &table("0.5"));
        let counts = read(all, Window::default()).unwrap();
        assert_eq!(
            counts.functions[0].cpu,
            CpuTimes::PerMinute(vec![0.0025, 0.004])
        );
        let mut all = files(REQUESTS, DELAY);
        all.usage = source("u", &table("0.5"));
        all.limit = source("l", &table("2"));
        all.instances = source("i", &table("3"));
        let counts = read(all, Window::default()).unwrap();
        assert_eq!(
            counts.functions[0].cpu,
            CpuTimes::PerMinute(vec![18.0, 9.0])
        );
        assert_eq!(counts.without_times, 0);
    }

    #[test]
    fn only_the_window_is_kept() {
        let window = Window {
            from_s: 60.0,
            seconds: Some(60.0),
            ..Window::default()
        };
        let counts = read(files(REQUESTS, DELAY), window).unwrap();
        assert_eq!((counts.minutes, counts.functions.len()), (1, 1));
        let late = Window {
            from_s: 180.0,
            ..Window::default()
        };
        let error = read(files(REQUESTS, DELAY), late).unwrap_err();
        assert_eq!(error.what, "the window has none of the file's 3 minutes");
    }

    #[test]
    fn tables_are_known_by_their_path() {
        for metric in Metric::ALL {
            let path = format!("private/{}/day_003.csv.gz", metric.folder());
            assert_eq!(Metric::of_path(&path), Some(metric));
        }
        assert_eq!(Metric::of_path("requests_second/day_003.csv"), None);
    }

    #[test]
    fn mistakes_have_their_file_and_line() {
        let header = "day,time,0\n";
        for (requests, delay, file, line, what) in [
            (
                format!("{header}0,0,1\n0,0,1\n"),
                format!("{header}0,0,1\n0,0,1\n"),
                "requests_minute.csv",
                3,
                "time 0 is not after that of the row above",
            ),
            (
                format!("{header}0,0,1\n0,1,1\n"),
                format!("{header}0,0,1\n0,1,1\n"),
                "requests_minute.csv",
                3,
                "time 1 is not whole minutes after the first row's, 0",
            ),
            (
                format!("{header}0,0,-1\n"),
                format!("{header}0,0,1\n"),
                "requests_minute.csv",
                2,
                "0 '-1' is negative",
            ),
            (
                format!("{header}0,0,1\n0,60,1\n"),
                format!("{header}0,0,1\n"),
                "function_delay_minute.csv",
                3,
                "the file ends before time 60",
            ),
            (
                format!("{header}0,0,1\n"),
                format!("{header}1,86400,1\n"),
                "function_delay_minute.csv",
                2,
                "time 86400 where the requests have 0",
            ),
            (
                "day,time,x\n0,0,1\n".to_owned(),
                header.to_owned(),
                "requests_minute.csv",
                1,
                "the column 'x' is no function's number",
            ),
        ] {
            let error = read(files(&requests, &delay), Window::default()).unwrap_err();
            assert_eq!(
                (error.file.as_str(), error.line),
                (file, Some(line)),
                "{error}"
            );
            assert_eq!(error.what, what);
        }
        let alone = Files {
            requests: source("r", REQUESTS),
            ..Files::default()
        };
        let error = read(alone, Window::default()).unwrap_err();
        assert_eq!(error.what, "nothing says how long requests take");
    }
}
