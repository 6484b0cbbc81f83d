// SPDX-License-Identifier: GPL-2.0-only
//! A comparison under way: one round after the other, and what came of them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use scx_alps::report::{Contender, Round};

use super::cgroups::{Cgroups, Layout};
use super::clock::{self, MONOTONIC, NS_PER_S};
use super::command_line::CommandLine;
use super::entrant::Entrant;
use super::generator::{Generator, Load, Run, Service, Telling};
use super::in_charge::{Cost, InCharge, Start, expect_saved};
use super::offer::Offer;
use super::plan::{Kind, Step};
use super::platform::Platform;
use super::practice::Practice;
use super::progress::Progress;
use super::{quiet, round};
use crate::invoke::Sent;

/// Between a switch of schedulers and the load: enough for ALPS to publish
/// what it has learned.
const SETTLE: Duration = Duration::from_secs(2);

/// How the rounds of a comparison are run.
pub struct Contest<'a> {
    pub layouts: &'a [Layout],
    /// Where the workers' cgroups are made.
    pub cgroup: PathBuf,
    pub cpus: u32,
    /// Whether long-lived servers take the requests.
    pub server: bool,
    /// Whether requests go over HTTP to a worker.
    pub http: bool,
    pub versus: &'a [CommandLine],
    /// More options for ALPS's daemon.
    pub daemon: &'a [String],
    pub kernel_scheduler: &'static str,
    /// How long a round may go on after its last request.
    pub drain: Duration,
    pub interrupted: &'a AtomicBool,
}

/// What has come of the rounds so far.
#[derive(Default)]
pub struct Results {
    pub rounds: Vec<Round>,
    /// The highest cost of ALPS's daemon in a round.
    pub daemon: Option<Cost>,
}

/// A load that waits to be sent off.
enum Ready {
    Processes(Generator),
    Http(Platform),
}

/// A load that was run.
enum Done {
    Processes(Run),
    Http(Platform, Sent),
}

impl Ready {
    fn run(self, contest: &Contest, look: impl Fn()) -> Result<Done> {
        let (drain, interrupted) = (contest.drain, contest.interrupted);
        Ok(match self {
            Self::Processes(generator) => {
                Done::Processes(generator.run(drain, interrupted, look)?)
            }
            Self::Http(platform) => {
                let sent = platform.run(drain, interrupted)?;
                Done::Http(platform, sent)
            }
        })
    }
}

impl Done {
    fn round(&self, setting: usize, contender: Contender, offer: &Offer) -> Result<Round> {
        match self {
            Self::Processes(run) => round::of(setting, contender, offer, run),
            Self::Http(platform, sent) => platform.round(setting, contender, offer.seed, sent),
        }
    }
}

impl Contest<'_> {
    /// Runs all `steps` on `offers`, with `practice` to learn from.
    ///
    /// # Errors
    /// When a round could not be run, and when interrupted; the rounds before
    /// it are in `results`, and everything is as it was before.
    pub fn run(
        &self,
        steps: &[Step],
        offers: &[Offer],
        practice: &Practice,
        results: &mut Results,
    ) -> Result<()> {
        let begin_ns = clock::now_ns(MONOTONIC);
        let rounds = steps.iter().filter_map(|step| {
            let offer = offer_of(step, offers, practice)?;
            Some(SETTLE + Duration::from_nanos(offer.trace.duration_ns))
        });
        let progress = Progress::of(rounds.collect());
        let memory = tempfile::tempdir().context("cannot make a temporary directory")?;
        let mut cgroups: Option<(Layout, Cgroups)> = None;
        for step in steps {
            let Some(offer) = offer_of(step, offers, practice) else {
                continue;
            };
            // A worker makes its functions' cgroups itself.
            if !self.http && cgroups.as_ref().is_none_or(|(of, _)| *of != step.layout) {
                // Those of the layout before have to go first.
                drop(cgroups.take());
                let made = Cgroups::create(step.layout, &self.cgroup, &offer.trace.functions)?;
                cgroups = Some((step.layout, made));
            }
            let cgroups = cgroups.as_ref().map(|(_, cgroups)| cgroups);
            let round = self.round(step, offer, cgroups, &memory, &progress, results)?;
            if let (Kind::Measure(_), Some(mut round)) = (step.kind, round) {
                round.start_ns = round.start_ns.map(|ns| ns.saturating_sub(begin_ns));
                results.rounds.push(round);
            }
        }
        Ok(())
    }

    fn round(
        &self,
        step: &Step,
        offer: &Offer,
        cgroups: Option<&Cgroups>,
        memory: &TempDir,
        progress: &Progress,
        results: &mut Results,
    ) -> Result<Option<Round>> {
        let contender = self.contender(step.kind);
        let what = format!(
            "seed {}, {contender}: {} requests in {:.1} s",
            offer.seed,
            offer.trace.requests.len(),
            offer.trace.duration_ns as f64 / NS_PER_S as f64,
        );
        progress.begin_round(&what);
        let ready = self.prepare(step, offer, cgroups)?;

        let learned = memory.path().join("learned.json");
        let working = memory.path().join("working.json");
        if step.kind == Kind::Measure(Entrant::AlpsWarm) {
            fs::copy(&learned, &working).context("cannot hand on what was learned")?;
        }
        let state = match step.kind {
            Kind::Practice => Some(learned.to_string_lossy()),
            Kind::Measure(Entrant::AlpsWarm) => Some(working.to_string_lossy()),
            Kind::Measure(_) => None,
        };
        let mut in_charge =
            InCharge::begin(&self.start(step.kind, state.as_deref()), self.interrupted)?;
        quiet::settle(SETTLE, self.interrupted)?;

        in_charge.count_from_now();
        let done = ready.run(self, || progress.look(&what))?;
        let cost = in_charge.cost();
        let doubt = in_charge.doubt();
        in_charge.end()?;

        if step.kind == Kind::Practice {
            expect_saved(&learned)?;
            return Ok(None);
        }
        let setting = self.layouts.iter().position(|&l| l == step.layout);
        let mut round = done.round(setting.unwrap_or(0), contender, offer)?;
        round.doubts.extend(doubt);
        round.scheduler_cpu_percent = cost.map(|cost| 100.0 * cost.cpu_share);
        if matches!(step.kind, Kind::Measure(entrant) if entrant.is_alps()) {
            results.daemon = Cost::higher(results.daemon, cost);
        }
        Ok(Some(round))
    }

    /// Everything but the load itself.
    fn prepare(&self, step: &Step, offer: &Offer, cgroups: Option<&Cgroups>) -> Result<Ready> {
        let Some(cgroups) = cgroups else {
            let platform = Platform::start(offer, step.layout, &self.cgroup, self.interrupted)?;
            return Ok(Ready::Http(platform));
        };
        let told = match step.kind {
            Kind::Measure(Entrant::Oracle) => Telling::Map,
            Kind::Measure(Entrant::Versus(_)) if !self.server => Telling::Names,
            _ => Telling::Nobody,
        };
        let due = offer.due(cgroups, told);
        let standby = offer.standby(self.cpus);
        let load = Load {
            due: &due,
            service: if self.server {
                Service::Servers(&standby)
            } else {
                Service::Processes
            },
            told,
        };
        Ok(Ready::Processes(Generator::prepare(
            &load,
            self.interrupted,
        )?))
    }

    fn contender(&self, kind: Kind) -> Contender {
        match kind {
            Kind::Practice => Contender::new("ALPS practising"),
            Kind::Measure(entrant) => self.name(entrant),
        }
    }

    /// As reports call it.
    pub fn name(&self, entrant: Entrant) -> Contender {
        match entrant {
            Entrant::Kernel => Contender::new(self.kernel_scheduler),
            Entrant::AlpsCold => Contender::cold("ALPS"),
            Entrant::AlpsWarm => Contender::warm("ALPS"),
            Entrant::Oracle => Contender::new("oracle"),
            Entrant::Versus(place) => Contender::new(self.name_of_other(place)),
        }
    }

    fn name_of_other(&self, place: usize) -> String {
        let Some(line) = self.versus.get(place) else {
            return String::new();
        };
        let namesakes = self.versus.iter().filter(|o| o.name() == line.name());
        if namesakes.count() > 1 {
            line.full_name()
        } else {
            line.name()
        }
    }

    fn start<'s>(&'s self, kind: Kind, state: Option<&'s str>) -> Start<'s> {
        let entrant = match kind {
            Kind::Practice => Entrant::AlpsCold,
            Kind::Measure(entrant) => entrant,
        };
        if let Entrant::Versus(place) = entrant
            && let Some(line) = self.versus.get(place)
        {
            return Start::Other(line);
        }
        if !entrant.is_alps() {
            return Start::Kernel;
        }
        let mut options: Vec<&str> = self.daemon.iter().map(String::as_str).collect();
        if let Some(state) = state {
            options.extend(["--state", state]);
        }
        if entrant == Entrant::Oracle {
            options.push("--told");
        }
        Start::Alps(options)
    }
}

/// The requests of a round; of practice there may be none.
fn offer_of<'o>(step: &Step, offers: &'o [Offer], practice: &'o Practice) -> Option<&'o Offer> {
    match step.kind {
        Kind::Practice => practice.before(offers, step.trace),
        Kind::Measure(_) => offers.get(step.trace),
    }
}
