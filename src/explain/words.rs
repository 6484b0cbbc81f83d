// SPDX-License-Identifier: GPL-2.0-only
//! What was learned of a function, in sentences.

use scx_alps::learn::Tuned;

use crate::control::Explanation;
use crate::top::format::{count, counted, duration, percent, setting};

const WIDTH: usize = 80;

/// The name, and below it what is to be said, a line or several each.
pub fn text(explanation: &Explanation) -> String {
    let mut text = heading(explanation);
    for sentence in [
        seen(explanation),
        expected(explanation),
        slice(explanation),
        order(explanation),
    ] {
        text.push_str(&wrapped(&sentence));
    }
    text
}

fn heading(of: &Explanation) -> String {
    let spoofable = if of.spoofable {
        "; processes can choose to be taken for it"
    } else {
        ""
    };
    if of.source.is_empty() {
        return format!("{}\n", of.name);
    }
    format!(
        "{}\n{}",
        of.name,
        wrapped(&format!("Recognised by {}{spoofable}.", of.source))
    )
}

fn seen(of: &Explanation) -> String {
    if of.samples == 0 {
        return "No invocation of it has ended yet, so nothing is known of it: it is taken for \
                any function of this machine."
            .to_owned();
    }
    let mut text = format!(
        "Learned from the last {} that ended, which took {} on average (standard deviation {}), \
         from {} to {}.",
        counted(of.samples.into(), "invocation"),
        duration(of.mean_ns as u64),
        duration(of.stdev_ns as u64),
        duration(of.least_ns),
        duration(of.most_ns),
    );
    let older = of.remembered.saturating_sub(of.samples);
    if older > 0 {
        text.push_str(&format!(
            " It has changed: {} before no longer count.",
            counted(older.into(), "invocation")
        ));
    }
    if of.weight < f64::from(of.samples) * 0.99 {
        let amounts = of.weight.max(0.0).round() as u64;
        text.push_str(&format!(
            " The newest count most; together they amount to {}.",
            count(amounts, 7)
        ));
    }
    text
}

fn expected(of: &Explanation) -> String {
    let (aim, index) = match (of.objective.as_str(), of.remaining_ns.first()) {
        ("", _) | (_, None) => (String::new(), String::new()),
        (objective, Some(&index_ns)) => (
            format!(" for the least mean {objective}"),
            format!(" and begins with an index of {}", duration(index_ns)),
        ),
    };
    format!(
        "By '{}'{aim} the next one is expected to take {}{index}. K is {} at a utilisation of \
         {}, so it starts out with a bias of {}.",
        of.predictor,
        duration(of.predicted_ns),
        setting(of.bias_factor),
        percent(of.utilisation_percent),
        duration(of.bias_ns.first().copied().unwrap_or(0)),
    ) + &beside_others(of)
}

/// What is expected of a function that nothing is known of, for comparison.
fn beside_others(of: &Explanation) -> String {
    match of.prior_ns.first() {
        Some(&prior_ns) if of.samples > 0 => {
            let what = if of.objective.is_empty() {
                "is expected to take"
            } else {
                "begins with an index of"
            };
            format!(" A function not seen yet {what} {}.", duration(prior_ns))
        }
        _ => String::new(),
    }
}

fn slice(of: &Explanation) -> String {
    let (Some(predicted_ns), Some(tuned)) = (of.predicted_slice_ns, of.tuned) else {
        return match of.slice_ns {
            0 => "It has no slice of its own, because none was simulated: it gets the default."
                .to_owned(),
            own => format!("Its slice is {}, which the policy says.", duration(own)),
        };
    };
    let steps = steps(predicted_ns, &tuned, of);
    let steps = if steps.is_empty() {
        "as predicted".to_owned()
    } else {
        format!(
            "{} predicted, {}",
            duration(predicted_ns as u64),
            steps.join(", ")
        )
    };
    match of.slice_ns {
        0 => format!("It has no slice of its own and gets the default: {steps}."),
        own => format!("Its slice is {}: {steps}.", duration(own)),
    }
}

/// What has made another slice of the one predicted.
fn steps(predicted_ns: f64, tuned: &Tuned, of: &Explanation) -> Vec<String> {
    let mut steps = Vec::new();
    let shown = |ns: f64| duration(ns as u64);
    if shown(tuned.weighted_ns) != shown(predicted_ns) {
        steps.push(format!("{} by the weight alpha", shown(tuned.weighted_ns)));
    }
    if shown(tuned.predictable_ns) != shown(tuned.weighted_ns) {
        steps.push(format!(
            "{} left where they vary as much",
            shown(tuned.predictable_ns)
        ));
    }
    let tuned_ns = tuned.predictable_ns * tuned.load_share;
    if shown(tuned_ns) != shown(tuned.predictable_ns) {
        steps.push(format!(
            "{} of that at this load",
            percent(tuned.load_share * 100.0)
        ));
    }
    match of.slice_ns {
        0 if tuned_ns > 0.0 => steps.push("too short to be of use".to_owned()),
        own if own > 0 && tuned_ns > own as f64 * 1.01 => {
            steps.push("and no slice is longer".to_owned());
        }
        _ => {}
    }
    steps
}

fn order(of: &Explanation) -> String {
    let Some(wait_ns) = of.simulated_wait_ns else {
        return format!(
            "It has not been simulated, so it is behind in the order of {}.",
            counted(of.functions as u64, "function")
        );
    };
    format!(
        "In the simulated schedule it waits {} on average, which is place {} in the order of {}.",
        duration(wait_ns as u64),
        u64::from(of.rank) + 1,
        counted(of.functions as u64, "function")
    )
}

/// Broken into lines that fit, indented.
fn wrapped(sentence: &str) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in sentence.split_whitespace() {
        if line.chars().count() + word.chars().count() + 3 > WIDTH {
            text.push_str(&format!("  {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(&format!("  {line}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{MS, bimodal};
    use super::*;

    #[test]
    fn a_change_of_behaviour_is_mentioned() {
        let text = text(&bimodal()).replace("\n ", "");
        assert!(
            text.contains("36 invocations before no longer count"),
            "{text}"
        );
        assert!(
            text.contains("place 3 in the order of 9 functions"),
            "{text}"
        );
    }

    #[test]
    fn each_kind_of_slice_has_its_reason() {
        let mut function = bimodal();
        let mut tuned = |slice_ms: f64, weighted_ms: f64, predictable_ms: f64, load_share| {
            function.slice_ns = (slice_ms * 1e6) as u64;
            function.tuned = Some(Tuned {
                weighted_ns: weighted_ms * 1e6,
                predictable_ns: predictable_ms * 1e6,
                load_share,
                slice_ns: function.slice_ns,
            });
            slice(&function)
        };
        // Of 12 ms predicted.
        assert!(tuned(12.0, 12.0, 12.0, 1.0).ends_with("as predicted."));
        assert!(tuned(0.0, 12.0, 0.0, 1.0).contains("0 left where they vary as much"));
        assert!(tuned(0.0, 0.0, 0.0, 1.0).contains("0 by the weight alpha."));
        assert!(tuned(0.0, 12.0, 12.0, 0.0).contains("0% of that at this load."));
        assert!(tuned(0.0, 12.0, 0.05, 1.0).contains("too short to be of use"));
        assert!(tuned(6.0, 12.0, 12.0, 0.5).contains("12.0ms predicted, 50% of that"));
        assert!(tuned(24.0, 24.0, 24.0, 1.0).contains("24.0ms by the weight alpha"));
        assert!(tuned(200.0, 12.0, 900.0, 1.0).contains("no slice is longer"));
        function.slice_ns = 5 * MS;
        function.tuned = None;
        assert!(slice(&function).contains("the policy says"));
        function.slice_ns = 0;
        function.predicted_slice_ns = None;
        assert!(slice(&function).contains("none was simulated"));
    }

    #[test]
    fn weighted_samples_are_mentioned() {
        let function = Explanation {
            weight: 5.0,
            ..bimodal()
        };
        assert!(text(&function).contains("amount to 5"));
    }
}
