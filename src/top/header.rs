// SPDX-License-Identifier: GPL-2.0-only
//! The daemon in a few words, above the table.

use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};

use super::format;
use super::snapshot::Snapshot;
use super::text;

/// Blanks between two figures.
const GAP: &str = "   ";

/// What there is to say, the machine on the first line and the work on the
/// second; lines go on below where `width` is too small.
pub fn lines(snapshot: &Snapshot, switching: Option<bool>, width: usize) -> Vec<Line<'static>> {
    [machine(snapshot, switching), work(snapshot)]
        .into_iter()
        .flat_map(|figures| flow(figures, width))
        .collect()
}

fn machine(snapshot: &Snapshot, switching: Option<bool>) -> Vec<Span<'static>> {
    let status = &snapshot.status;
    let state = match (switching, status.enforcing) {
        (Some(true), _) => " ON… ".black().on_yellow(),
        (Some(false), _) => " OFF… ".black().on_yellow(),
        (None, true) => " ON ".black().on_green().bold(),
        (None, false) => " OFF ".white().on_red().bold(),
    };
    // What follows the first blank is the target it was built for.
    let version = status.version.split(' ').next().unwrap_or_default();
    vec![
        "scx_alps".bold(),
        state,
        Span::raw(format!(
            "{} {} busy",
            format::counted(status.cpus as u64, "CPU"),
            format::percent(status.utilisation_percent)
        )),
        Span::raw(format!("predictor {}", status.predictor)),
        Span::raw(format!("K {}", format::setting(status.bias_factor))),
        Span::raw(version.to_owned()),
    ]
}

fn work(snapshot: &Snapshot) -> Vec<Span<'static>> {
    let status = &snapshot.status;
    let mut figures = vec![
        Span::raw(format::counted(status.functions as u64, "function")),
        Span::raw(format!(
            "{}, {}/s",
            format::counted(status.invocations, "invocation"),
            format::number(snapshot.rate_per_s())
        )),
        Span::raw(format!("policy table v{}", status.policy_version)),
    ];
    let lost = Style::new().fg(Color::Red).bold();
    if status.invocations_lost > 0 {
        let invocations = format::counted(status.invocations_lost, "invocation");
        figures.push(Span::styled(format!("{invocations} lost"), lost));
    }
    if status.notices_lost > 0 {
        let notices = format::counted(status.notices_lost, "notice");
        figures.push(Span::styled(format!("{notices} lost"), lost));
    }
    figures.push(Span::raw(format!("up {}", format::span(status.uptime_s))));
    figures
}

/// The figures side by side, as many to a line as fit.
fn flow(figures: Vec<Span<'static>>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    let mut used = 0;
    for figure in figures {
        let needed = text::width(&figure.content);
        if used > 0 && used + GAP.len() + needed > width {
            lines.push(Line::default());
            used = 0;
        }
        // There is always a line: the first is there from the start.
        let Some(line) = lines.last_mut() else { break };
        if used > 0 {
            line.push_span(GAP);
            used += GAP.len();
        }
        line.push_span(figure);
        used += needed;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Status;

    fn shown(status: Status, switching: Option<bool>, width: usize) -> Vec<String> {
        let snapshot = Snapshot::new(status, Vec::new());
        let lines = lines(&snapshot, switching, width);
        lines.iter().map(Line::to_string).collect()
    }

    #[test]
    fn figures_wrap_where_the_screen_ends() {
        let lines = shown(Status::default(), None, 40);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| text::width(line) <= 40));
        assert!(shown(Status::default(), None, 0).len() > 2);
        assert_eq!(shown(Status::default(), None, usize::MAX).len(), 2);
    }

    #[test]
    fn what_was_lost_shows_only_when_something_was() {
        let all = |status| shown(status, None, 200).join("\n");
        assert!(!all(Status::default()).contains("lost"));
        let lossy = Status {
            invocations_lost: 3,
            notices_lost: 4,
            ..Status::default()
        };
        assert!(all(lossy).contains("3 invocations lost   4 notices lost"));
    }

    #[test]
    fn the_state_is_first() {
        let state = |enforcing, switching| {
            let status = Status {
                enforcing,
                ..Status::default()
            };
            shown(status, switching, 80).swap_remove(0)
        };
        assert!(state(true, None).starts_with("scx_alps    ON "));
        assert!(state(false, None).starts_with("scx_alps    OFF "));
        assert!(state(true, Some(false)).contains(" OFF… "));
    }

    #[test]
    fn rubbish_figures_are_shown_as_such() {
        let status = Status {
            cpus: usize::MAX,
            uptime_s: f64::NAN,
            utilisation_percent: f64::NEG_INFINITY,
            bias_factor: f64::MAX,
            invocations: u64::MAX,
            functions: usize::MAX,
            ..Status::default()
        };
        let lines = shown(status, None, 80);
        assert!(
            lines.iter().all(|line| text::width(line) <= 80),
            "{lines:?}"
        );
    }
}
