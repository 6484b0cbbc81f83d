// SPDX-License-Identifier: GPL-2.0-only
//! Every reader on arbitrary bytes and on damaged recordings: a trace or an
//! error, and never a panic.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::super::{Description, Fit};
use super::*;

const TIMES: &str = "job,n,cpu_ms\nfib,23,3.5\nbfs,100,0.25\n";

/// A good recording of each format, as many files as it takes.
const GOOD: [(Format, &[&str]); 5] = [
    (
        Format::Alps,
        &["1 23 fib 20 5002\n2 100 bfs 0 5008\n3 23 fib 7 5002\n"],
    ),
    (
        Format::Plain,
        &["arrival_us,function,cpu_us\n0,f,10\n5,\"g,h\",20.5\n5,f,1\n"],
    ),
    (
        Format::Azure2019,
        &[
            "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,0,5,2\no,a,g,timer,1,1,1\n",
            "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,\
             percentile_Average_1,percentile_Average_25,percentile_Average_50,\
             percentile_Average_75,percentile_Average_99,percentile_Average_100\n\
             o,a,f,9,7,1,20,1,2,5,8,11,19,20\no,a,g,0,3,0,0,0,0,0,0,0,0,0\n",
        ],
    ),
    (
        Format::Azure2021,
        &["app,func,end_timestamp,duration\na,f,10.5,0.5\na,g,9,4\nb,f,11,0\n"],
    ),
    (
        Format::Huawei2023,
        &[
            "day,time,0,1\n0,0,5.0,\n0,60,NaN,2\n",
            "day,time,0,1\n0,0,12.5,\n0,60,,100\n",
            "day,time,1,0\n0,0,0.5,\n0,60,,0.1\n",
        ],
    ),
];

/// What is done to a file.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Drop(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let token = prop_oneof![
            Just(b"-1".to_vec()),
            Just(b"NaN".to_vec()),
            Just(b"inf".to_vec()),
            Just(b"1e308".to_vec()),
            Just(b"999999999999999999999".to_vec()),
            Just(b"\"".to_vec()),
            Just(b",".to_vec()),
            Just(b" ".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"0".to_vec()),
            Just(b"9".to_vec()),
            Just("\u{202e}".as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 1..5),
        ];
        let place = 0usize..400;
        prop_oneof![
            place.clone().prop_map(Self::Cut),
            (place.clone(), 1usize..30).prop_map(|(at, length)| Self::Drop(at, length)),
            (place.clone(), 1usize..60).prop_map(|(at, length)| Self::Repeat(at, length)),
            (place, token).prop_map(|(at, token)| Self::Insert(at, token)),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: usize| at % (bytes.len() + 1);
        match self {
            Self::Cut(at) => bytes.truncate(place(*at)),
            Self::Drop(at, length) => {
                let start = place(*at);
                let end = (start + length).min(bytes.len());
                bytes.drain(start..end);
            }
            Self::Repeat(at, length) => {
                let start = place(*at);
                let end = (start + length).min(bytes.len());
                let part = bytes[start..end].to_vec();
                bytes.splice(end..end, part);
            }
            Self::Insert(at, token) => {
                let start = place(*at);
                bytes.splice(start..start, token.iter().copied());
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads the files as `format`, or as what they look like, and does with the
/// trace what a command does.
fn use_files(
    format: Option<Format>,
    files: &[Vec<u8>],
    times: &[u8],
    window: Window,
) -> Result<(), TraceError> {
    let source = |bytes: &[u8]| Source::new("file", Cursor::new(bytes.to_vec()));
    let sources = files.iter().map(|bytes| source(bytes));
    let sources = sources.collect::<Result<Vec<Source>, TraceError>>()?;
    let format = match (format, sources.first()) {
        (Some(format), _) => format,
        (None, Some(first)) => Format::of(first)?,
        (None, None) => return Ok(()),
    };
    let times = ServiceTimes::read(source(times)?)?;
    let recording = read(format, sources, Some(&times), window)?;
    for load in [None, Some(0.9)] {
        let fit = Fit {
            load,
            cpus: 2,
            longest_ns: None,
            functions: None,
            sample: format.is_of_platform(),
            seed: 1,
        };
        if let Ok(fitted) = recording.fit(window, fit) {
            let description = Description {
                trace: &fitted.trace,
                name: "file",
                cpus: 2,
            };
            assert!(description.to_string().len() > 100);
        }
    }
    Ok(())
}

/// An error must be fit to be shown, and about a line that there is.
fn check(result: Result<(), TraceError>) -> Result<(), TestCaseError> {
    if let Err(error) = result {
        prop_assert!(!error.to_string().contains(char::is_control), "{error:?}");
        prop_assert!(error.line != Some(0));
    }
    Ok(())
}

#[test]
fn good_recordings_are_good() {
    for (format, files) in GOOD {
        let files: Vec<Vec<u8>> = files.iter().map(|file| file.as_bytes().to_vec()).collect();
        let zipped: Vec<Vec<u8>> = files.iter().map(|file| gzip(file)).collect();
        for files in [files, zipped] {
            for format in [None, Some(format)] {
                use_files(format, &files, TIMES.as_bytes(), Window::default()).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        zipped: bool,
    ) {
        let bytes = if zipped { gzip(&bytes) } else { bytes };
        let window = Window::default();
        check(use_files(None, std::slice::from_ref(&bytes), TIMES.as_bytes(), window))?;
        for (format, files) in GOOD {
            let files = vec![bytes.clone(); files.len()];
            check(use_files(Some(format), &files, TIMES.as_bytes(), window))?;
        }
        check(use_files(Some(Format::Alps), &[GOOD[0].1[0].into()], &bytes, window))?;
    }

    #[test]
    fn damaged_recordings_are_no_panic(
        which in 0usize..GOOD.len(),
        damages in prop::collection::vec((0usize..4, Damage::any()), 1..6),
        zipped: bool,
        cut in prop::option::of(0usize..200),
        from_s in prop_oneof![Just(0.0), 0.0..200.0f64],
        seconds in prop::option::of(0.0..200.0f64),
        scale in prop_oneof![Just(1.0), Just(1e6), Just(1e-6)],
    ) {
        let (format, files) = GOOD[which];
        let mut files: Vec<Vec<u8>> = files.iter().map(|file| file.as_bytes().to_vec()).collect();
        files.push(TIMES.as_bytes().to_vec());
        for (file, damage) in &damages {
            let file = file % files.len();
            damage.apply(&mut files[file]);
        }
        if zipped {
            files = files.iter().map(|file| gzip(file)).collect();
            if let Some(cut) = cut {
                Damage::Cut(cut).apply(&mut files[0]);
            }
        }
        let times = files.pop().unwrap();
        let window = Window { from_s, seconds, time_scale: scale, cpu_scale: scale };
        for format in [None, Some(format)] {
            check(use_files(format, &files, &times, window))?;
        }
    }
}
