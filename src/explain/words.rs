// SPDX-License-Identifier: GPL-2.0-only
//! What was learned of a function, in sentences.

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
    let index = match of.objective.as_str() {
        "" => String::new(),
        objective => format!(" for the least mean {objective}"),
    };
    format!(
        "By '{}'{index} the next one is expected to take {}. K is {} at a utilisation of {}, so \
         it starts out with a bias of {}.",
        of.predictor,
        duration(of.predicted_ns),
        setting(of.bias_factor),
        percent(of.utilisation_percent),
        duration(of.bias_ns.first().copied().unwrap_or(0)),
    )
}

fn slice(of: &Explanation) -> String {
    let predicted = of
        .predicted_slice_ns
        .map(|slice_ns| duration(slice_ns as u64));
    match (of.slice_ns, predicted) {
        (0, None) => "It has no slice of its own, because none was simulated: it gets the default."
            .to_owned(),
        (0, Some(predicted)) => format!(
            "It has no slice of its own: {predicted} were predicted, and its slices vary too \
             much. It gets the default."
        ),
        (own, Some(predicted)) if predicted != duration(own) => format!(
            "Its slice is {}: {predicted} were predicted, less what the tuning takes off.",
            duration(own)
        ),
        (own, _) => format!("Its slice is {}, as predicted.", duration(own)),
    }
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
        assert!(slice(&function).contains("vary too much"));
        function.slice_ns = 12 * MS;
        assert!(slice(&function).ends_with("as predicted."));
        function.slice_ns = 6 * MS;
        assert!(slice(&function).contains("12.0ms were predicted"));
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
