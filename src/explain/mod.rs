// SPDX-License-Identifier: GPL-2.0-only
//! `scx_alps explain`: what was learned of one function, in words and a
//! picture, 80 columns wide.

mod changes;
mod picture;
mod words;

use std::path::Path;

use anyhow::{Result, bail};

use crate::control::{Command, Explanation, Reply, ask};

/// Print what the daemon behind `socket` knows of a function, for people or
/// as JSON.
pub fn run(socket: &Path, function: &str, json: bool) -> Result<()> {
    let command = Command::Explain {
        function: function.to_owned(),
    };
    let functions = match ask(socket, command)? {
        Reply::Explanations { functions } => functions,
        other => bail!("the daemon gave an answer to another question: {other:?}"),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&functions)?);
        return Ok(());
    }
    let texts: Vec<String> = functions.iter().map(text).collect();
    print!("{}", texts.join("\n"));
    Ok(())
}

fn text(explanation: &Explanation) -> String {
    [
        words::text(explanation),
        picture::text(explanation),
        changes::text(explanation),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Summary;
    use proptest::num::f64::ANY;
    use proptest::prelude::*;
    use scx_alps::learn::Tuned;
    use scx_alps::policy::BUCKETS;
    use scx_alps::policy::grid::{bucket, start};

    pub(super) const MS: u64 = 1_000_000;

    /// A function of 10 ms, with an invocation of 90 ms now and then.
    pub(super) fn bimodal() -> Explanation {
        let mut histogram = vec![0; BUCKETS];
        histogram[bucket(10 * MS)] = 200;
        histogram[bucket(90 * MS)] = 20;
        let remaining_ns: Vec<u64> = (0..BUCKETS)
            .map(|index| match start(index) {
                at if at < 10 * MS => 17 * MS - at,
                at if at < 90 * MS => 92 * MS - at,
                at => at / 2,
            })
            .collect();
        Explanation {
            name: "resize".to_owned(),
            source: "cgroup rule".to_owned(),
            predictor: "avg".to_owned(),
            bias_factor: 16.0,
            utilisation_percent: 72.4,
            remembered: 256,
            samples: 220,
            weight: 220.0,
            mean_ns: 17.3e6,
            stdev_ns: 23.2e6,
            least_ns: 9 * MS,
            most_ns: 91 * MS,
            histogram,
            bias_ns: remaining_ns.iter().map(|left| left * 16).collect(),
            prior_ns: vec![40 * MS; BUCKETS],
            remaining_ns,
            predicted_ns: 17 * MS,
            slice_ns: 0,
            predicted_slice_ns: Some(12e6),
            tuned: Some(Tuned {
                weighted_ns: 12e6,
                predictable_ns: 0.0,
                load_share: 0.78,
                slice_ns: 0,
            }),
            simulated_wait_ns: Some(0.4e6),
            rank: 2,
            functions: 9,
            past: vec![
                Summary {
                    age_s: 55.2,
                    samples: 256,
                    predicted_ns: 2 * MS,
                    slice_ns: 2 * MS,
                    bias_ns: 32 * MS,
                },
                Summary {
                    age_s: 0.2,
                    samples: 220,
                    predicted_ns: 17 * MS,
                    slice_ns: 0,
                    bias_ns: 272 * MS,
                },
            ],
            ..Explanation::default()
        }
    }

    fn widest(text: &str) -> usize {
        text.lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn it_says_and_shows_what_was_learned() {
        let text = text(&bimodal());
        for part in [
            "resize",
            "220 invocations",
            "17.3ms",
            "K is 16",
            "▇",
            "55 s ago",
        ] {
            assert!(text.contains(part), "no {part} in:\n{text}");
        }
        assert!(widest(&text) <= 80, "{text}");
    }

    #[test]
    fn a_function_nothing_is_known_of_is_explained_by_the_prior() {
        let explanation = Explanation {
            name: "new".to_owned(),
            remaining_ns: vec![40 * MS; BUCKETS],
            bias_ns: vec![640 * MS; BUCKETS],
            ..Explanation::default()
        };
        let text = text(&explanation);
        assert!(text.contains("nothing is known"), "{text}");
        assert!(text.contains("640ms"), "{text}");
    }

    proptest! {
        #[test]
        fn any_numbers_are_shown_within_the_terminal(
            counts in prop::collection::vec(any::<u32>(), 0..60),
            times in prop::collection::vec(any::<u64>(), 0..60),
            (mean_ns, stdev_ns, weight) in (ANY, ANY, ANY),
            samples: u32,
        ) {
            let past = times.iter().map(|&time| Summary {
                age_s: mean_ns,
                samples,
                predicted_ns: time,
                slice_ns: time,
                bias_ns: time,
            });
            let explanation = Explanation {
                name: "x".to_owned(),
                samples,
                remembered: samples,
                histogram: counts,
                past: past.collect(),
                residual_ns: times.clone(),
                prior_ns: times.clone(),
                remaining_ns: times.clone(),
                bias_ns: times,
                mean_ns,
                stdev_ns,
                weight,
                predicted_slice_ns: Some(mean_ns),
                tuned: Some(Tuned {
                    weighted_ns: weight,
                    predictable_ns: stdev_ns,
                    load_share: mean_ns,
                    slice_ns: 0,
                }),
                utilisation_percent: weight,
                bias_factor: weight,
                ..Explanation::default()
            };
            let text = text(&explanation);
            prop_assert!(widest(&text) <= 80, "{}", text);
        }
    }
}
