// SPDX-License-Identifier: GPL-2.0-only
//! A headless Chromium.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;
use tempfile::TempDir;

/// Put into a copy of the page; the page itself has no script.
const LOOK: &str = include_str!("look.js");

/// A browser with a profile of its own, gone when dropped.
pub struct Browser {
    folder: TempDir,
}

/// What it made of a page; `look.js` writes it.
#[derive(Debug, Deserialize)]
pub struct Seen {
    plots: Vec<SeenPlot>,
    title: String,
    heading: String,
    tables: usize,
    scripts: usize,
    width: f64,
    height: f64,
    /// What the page asked for.
    requests: Vec<String>,
    /// Ids that are not unique.
    twice: Vec<String>,
    /// What is no number where there should be one.
    numbers: Vec<String>,
    #[serde(skip)]
    complaints: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct SeenPlot {
    width: f64,
    height: f64,
    title: String,
    labelled: bool,
    /// Parts that reach out of the plot.
    outside: Vec<String>,
    /// Texts that lie on each other.
    overlaps: Vec<String>,
}

impl Browser {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder }
    }

    /// Opens a page in a window of this size.
    pub fn look_at(&self, page: &Path, width: u32, height: u32) -> Seen {
        let html = fs::read_to_string(page).expect("the page");
        let copy = self.folder.path().join("page.html");
        // The page forbids all scripts, so also this one.
        let (before, policy) = html.split_once("<meta http-equiv=").expect("a policy");
        let (_, after) = policy.split_once('>').expect("the policy's end");
        fs::write(&copy, format!("{before}<script>{LOOK}</script>{after}")).expect("a copy");
        let output = self.run(&copy, width, height, &["--dump-dom"]);
        let dom = String::from_utf8_lossy(&output.stdout);
        let text = dom
            .split_once("<pre>")
            .and_then(|(_, rest)| rest.split_once("</pre>"));
        let (text, _) = text.unwrap_or_else(|| panic!("the script did not run: {dom}"));
        let text = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        let mut seen: Seen = serde_json::from_str(&text).expect("what the script writes");
        seen.complaints = self.complaints(page);
        seen
    }

    /// What the page itself, with its policy, makes the browser say.
    fn complaints(&self, page: &Path) -> Vec<String> {
        let output = self.run(page, 1280, 800, &["--dump-dom"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let of_page = said.lines().filter(|line| line.contains("CONSOLE"));
        of_page.map(String::from).collect()
    }

    /// All of the page as a picture.
    pub fn picture(&self, page: &Path, width: u32, to: &Path) {
        let height = self.look_at(page, width, 800).height as u32;
        let option = format!("--screenshot={}", to.display());
        self.run(page, width, height, &[&option]);
        assert!(
            to.metadata().is_ok_and(|file| file.len() > 5000),
            "no picture of {page:?}"
        );
    }

    /// The page on paper.
    pub fn print(&self, page: &Path, to: &Path) {
        let option = format!("--print-to-pdf={}", to.display());
        self.run(page, 1280, 800, &[&option, "--no-pdf-header-footer"]);
        assert!(
            to.metadata().is_ok_and(|file| file.len() > 5000),
            "{page:?} was not printed"
        );
    }

    fn run(&self, page: &Path, width: u32, height: u32, options: &[&str]) -> Output {
        let profile = tempfile::tempdir_in(&self.folder).expect("a temporary folder");
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--enable-logging=stderr",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--window-size={width},{height}"))
            .args(options)
            .arg(format!("file://{}", page.display()))
            .output()
            .expect("chromium; scripts/test-report installs it");
        assert!(output.status.success(), "{output:?}");
        output
    }
}

impl Seen {
    /// That it shows `plots` plots and all else as it should in a window of
    /// this width.
    pub fn assert_well(&self, name: &str, plots: usize, width: u32) {
        let window = f64::from(width);
        assert_eq!(self.plots.len(), plots, "{name}");
        for plot in &self.plots {
            let shape = plot.height / plot.width;
            assert!(
                plot.width >= (window - 60.0).min(1000.0),
                "{name}: {plot:?}"
            );
            assert!((0.25..0.6).contains(&shape), "{name}: {plot:?}");
            assert!(!plot.title.is_empty() && plot.labelled, "{name}: {plot:?}");
            assert!(plot.outside.is_empty(), "{name}: {plot:?}");
            assert!(plot.overlaps.is_empty(), "{name}: {plot:?}");
        }
        assert!(self.width <= window, "{name} is {} wide", self.width);
        assert_eq!(self.title, self.heading, "{name}");
        assert!(
            !self.title.contains("broken into") || self.title.contains('<'),
            "{name}"
        );
        assert!(self.tables > 0, "{name}");
        assert_eq!(self.scripts, 0, "{name}");
        assert!(self.height > 200.0, "{name}");
        assert!(self.requests.is_empty(), "{name}: {:?}", self.requests);
        assert!(self.twice.is_empty(), "{name}: {:?}", self.twice);
        assert!(self.numbers.is_empty(), "{name}: {:?}", self.numbers);
        assert!(self.complaints.is_empty(), "{name}: {:?}", self.complaints);
    }
}
