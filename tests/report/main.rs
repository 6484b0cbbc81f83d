// SPDX-License-Identifier: GPL-2.0-only
//! The report in a real browser: whether a headless Chromium shows all of it,
//! in a window and on paper, without complaint and without asking for more.
//!
//! `scripts/test-report` runs it, with the browser installed; the pages and
//! what they look like are left in `target/report`.

mod browser;
mod runs;
mod serving;

use std::fs;
use std::path::PathBuf;

use scx_alps::report::{Run, html};

use browser::Browser;

/// Window sizes: a laptop and something narrow.
const WINDOWS: [(u32, u32); 2] = [(1280, 800), (700, 900)];

fn shows_well(name: &str, run: &Run, plots: usize) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/report");
    fs::create_dir_all(&folder).unwrap();
    let page = folder.join(format!("{name}.html"));
    fs::write(&page, html::page(run)).unwrap();
    let browser = Browser::new();
    for (width, height) in WINDOWS {
        let seen = browser.look_at(&page, width, height);
        seen.assert_well(name, plots, width);
        browser.picture(&page, width, &folder.join(format!("{name}-{width}.png")));
    }
    browser.print(&page, &folder.join(format!("{name}.pdf")));
}

#[test]
fn a_usual_run() {
    shows_well("usual", &runs::usual(), 4);
}

#[test]
fn two_schedulers_and_one_seed() {
    shows_well("small", &runs::small(), 4);
}

#[test]
fn two_settings_with_oracle_and_rivals() {
    shows_well("large", &runs::large(), 8);
}

#[test]
fn a_thousand_functions_under_twelve_simulated_policies() {
    shows_well("simulated", &runs::simulated(), 4);
}

#[test]
fn hostile_names() {
    shows_well("hostile", &runs::hostile(), 4);
}

#[test]
fn nothing_finished() {
    shows_well("nothing", &runs::nothing(), 4);
}

#[test]
fn nothing_measured() {
    shows_well("empty", &runs::empty(), 0);
}
