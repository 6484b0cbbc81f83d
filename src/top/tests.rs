// SPDX-License-Identifier: GPL-2.0-only
//! Whole screens.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::asker::Answer;
use super::draw::draw;
use super::keys::press;
use super::snapshot::Snapshot;
use super::text;
use super::view::View;
use crate::control::{FunctionRow, Status};

fn function(name: &str, rate_per_s: f64, cpu_us: u64, live: (u32, u32)) -> FunctionRow {
    FunctionRow {
        name: name.to_owned(),
        source: "leaf cgroup".to_owned(),
        rate_per_s,
        running: live.0,
        waiting: live.1,
        samples: 128,
        cpu_mean_ns: cpu_us * 1_000,
        cpu_p99_ns: cpu_us * 2_500,
        predicted_ns: cpu_us * 1_050,
        bias_ns: cpu_us * 16_800,
        slice_ns: cpu_us * 1_050,
        wait_mean_ns: cpu_us * 150,
        slowdown_mean: 1.16,
        ..FunctionRow::default()
    }
}

/// A machine at work.
pub fn sample() -> Snapshot {
    let status = Status {
        enforcing: true,
        version: "0.1.0-g1a2b3c4d x86_64-unknown-linux-gnu".to_owned(),
        uptime_s: 3_725.0,
        cpus: 4,
        utilisation_percent: 87.3,
        functions: 6,
        policy_version: 3_720,
        predictor: "avg".to_owned(),
        bias_factor: 16.0,
        invocations: 123_456,
        ..Status::default()
    };
    let scrape = FunctionRow {
        source: "comm".to_owned(),
        spoofable: true,
        slice_ns: 0,
        slowdown_mean: 3.4,
        ..function("scrape", 0.5, 640_000, (1, 2))
    };
    let idle = FunctionRow {
        name: "nightly-report".to_owned(),
        source: "cgroup rule".to_owned(),
        predicted_ns: 1_500_000_000,
        bias_ns: 16_000_000_000,
        slice_ns: 200_000_000,
        samples: 1,
        ..FunctionRow::default()
    };
    let rows = vec![
        function("login", 42.31, 850, (1, 0)),
        scrape,
        function("thumbnail", 12.3, 12_345, (2, 1)),
        idle,
        function(
            "kubepods.slice/kubepods-pod1234.slice/cri-containerd-ffff.scope",
            3.21,
            97_000,
            (0, 4),
        ),
        function("注文処理", 0.1, 1_230, (0, 0)),
    ];
    Snapshot::new(status, rows)
}

fn view(snapshot: Snapshot) -> View {
    View::new(snapshot, Duration::from_secs(1), Instant::now())
}

/// The screen's lines, without what is blank at their ends.
fn screen(view: &mut View, width: u16, height: u16) -> Vec<String> {
    screen_at(view, width, height, Instant::now())
}

fn screen_at(view: &mut View, width: u16, height: u16, now: Instant) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view, now)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y| {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            // A wide character hides the cell behind it.
            x += text::width(symbol).max(1) as u16;
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

fn press_all(view: &mut View, keys: &str) {
    for key in keys.chars() {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        press(view, key, Instant::now());
    }
}

#[test]
fn a_usual_terminal_holds_everything() {
    let shown = screen(&mut view(sample()), 80, 24);
    let top = "\
scx_alps    ON    4 CPUs 87% busy   predictor avg   K 16   0.1.0-g1a2b3c4d
6 functions   123456 invocations, 58.4/s   policy table v3720   up 1h02m
~ marks names that a tenant can choose
 FUNCTION      ▼RATE/S  RUN WAIT    CPU    P99   PRED   BIAS  SLICE  DELAY  SLOW
 login            42.3    1    0  850us 2.12ms  892us 14.3ms  892us  128us  1.16
 thumbnail        12.3    2    1 12.3ms 30.9ms 13.0ms  207ms 13.0ms 1.85ms  1.16
 kubepod….scope   3.21    0    4 97.0ms  242ms  102ms  1.63s  102ms 14.6ms  1.16
~scrape           0.50    1    2  640ms  1.60s  672ms  10.8s      - 96.0ms  3.40
 注文処理         0.10    0    0 1.23ms 3.08ms 1.29ms 20.7ms 1.29ms  184us  1.16
 nightly-report      0    0    0      -      -  1.50s  16.0s  200ms      -     -";
    assert_eq!(shown[..10].join("\n"), top);
    assert_eq!(
        shown[22],
        "login: leaf cgroup; learned from 128 invocations"
    );
    assert_eq!(
        shown[23],
        "q quit  ? help  ←→ sort  / filter  space pause  t turn off  r reverse"
    );
}

#[test]
fn a_small_terminal_holds_the_most_important() {
    let shown = screen(&mut view(sample()), 40, 10);
    let all = "\
scx_alps    ON    4 CPUs 87% busy
predictor avg   K 16   0.1.0-g1a2b3c4d
6 functions   123456 invocations, 58.4/s
~ marks names that a tenant can choose
 FUNCTION      ▼RATE/S WAIT  DELAY  SLOW
 login            42.3    0  128us  1.16
 thumbnail        12.3    1 1.85ms  1.16
 kubepod….scope   3.21    4 14.6ms  1.16
~scrape           0.50    2 96.0ms  3.40
q quit  ? help  ←→ sort  / filter  1-4/6";
    assert_eq!(shown.join("\n"), all);
}

#[test]
fn a_large_terminal_has_room_for_names() {
    let shown = screen(&mut view(sample()), 200, 50);
    let headings = " FUNCTION                                                        ▼RATE/S   \
                    RUN  WAIT     CPU     P99    PRED    BIAS   SLICE   DELAY   SLOW";
    let longest = " kubepods.slice/kubepods-pod1234.slice/cri-containerd-ffff.scope    3.21     \
                   0     4  97.0ms   242ms   102ms   1.63s   102ms  14.6ms   1.16";
    assert_eq!(shown[3], headings);
    assert_eq!(shown[6], longest);
    assert_eq!(
        shown[48],
        "login: leaf cgroup; learned from 128 invocations"
    );
}

#[test]
fn a_daemon_that_goes_is_missed_but_its_table_stays() {
    let mut view = view(sample());
    let gone = Answer::Snapshot(Err("no scx_alps daemon listens at /run/x".to_owned()));
    view.hear(gone, Instant::now());
    let shown = screen_at(&mut view, 80, 24, Instant::now() + Duration::from_secs(3));
    assert_eq!(
        shown[2],
        "no answer for 3 s, retrying: no scx_alps daemon listens at /run/x"
    );
    assert!(shown[4].contains("login"));
    let low = screen(&mut view, 80, 6);
    assert!(low[5].starts_with("no answer for"), "{low:?}");
}

#[test]
fn what_is_unusual_is_told() {
    let mut view = view(sample());
    press_all(&mut view, " /RI");
    let shown = screen(&mut view, 80, 24);
    assert_eq!(shown[2], " PAUSED   'RI': 1 of 6 functions");
    assert_eq!(shown[23], "/RI█");
    assert!(shown[4].starts_with(" kubepod"));
    assert_eq!(shown[5], "");
}

#[test]
fn switching_is_asked_and_shown() {
    let mut view = view(sample());
    press_all(&mut view, "t");
    let asked = screen(&mut view, 40, 10);
    assert!(asked[9].starts_with("Turn ALPS off? y/n"));
    press_all(&mut view, "y");
    assert!(screen(&mut view, 80, 24)[0].contains(" OFF… "));
}

#[test]
fn help_covers_the_table_and_scrolls_on_a_small_screen() {
    let mut view = view(sample());
    press_all(&mut view, "?");
    let shown = screen(&mut view, 80, 24).join("\n");
    assert!(shown.contains("Help: any key closes"));
    for column in super::column::Column::ALL {
        assert!(shown.contains(column.meaning()), "{shown}");
    }
    let end = KeyEvent::new(KeyCode::End, KeyModifiers::NONE);
    press(&mut view, end, Instant::now());
    let small = screen(&mut view, 40, 10);
    assert!(small[8].contains("pose as it"), "{small:?}");
}

#[test]
fn an_empty_table_says_why() {
    let mut empty = view(Snapshot::default());
    assert!(
        screen(&mut empty, 80, 24)
            .join("")
            .contains("no functions yet")
    );
    let mut filtered = view(sample());
    press_all(&mut filtered, "/zzz");
    assert!(
        screen(&mut filtered, 80, 24)
            .join("")
            .contains("contains that")
    );
}

#[test]
fn no_screen_is_too_small_or_too_large() {
    let rubbish = FunctionRow {
        name: "\u{200d}👩\u{1f3fd}\x1b".repeat(500),
        spoofable: true,
        rate_per_s: f64::NAN,
        running: u32::MAX,
        cpu_mean_ns: u64::MAX,
        slowdown_mean: f64::NEG_INFINITY,
        ..FunctionRow::default()
    };
    let nameless = FunctionRow::default();
    let status = Status {
        version: "x".repeat(500),
        predictor: "\n".repeat(500),
        utilisation_percent: f64::NAN,
        uptime_s: f64::INFINITY,
        bias_factor: f64::NAN,
        invocations: u64::MAX,
        invocations_lost: u64::MAX,
        policy_version: u64::MAX,
        ..Status::default()
    };
    let rows: Vec<FunctionRow> = std::iter::repeat_n([rubbish, nameless], 4)
        .flatten()
        .collect();
    let sizes = [0, 1, 2, 3, 5, 10, 12, 40, 80, 200];
    for snapshot in [Snapshot::default(), sample(), Snapshot::new(status, rows)] {
        for mode in ["", "/", "/x", "t", "?", " D"] {
            let mut view = view(snapshot.clone());
            press_all(&mut view, mode);
            for width in sizes {
                for height in sizes.into_iter().filter(|&height| height < 41) {
                    let end = KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE);
                    press(&mut view, end, Instant::now());
                    screen(&mut view, width, height);
                }
            }
        }
    }
}
