// SPDX-License-Identifier: GPL-2.0-only
//! What is chosen on the command line: policies, weights, a span of time.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use scx_alps::sim::Policy;
use scx_alps::sim::gantt::Span;

use crate::cli::duration;

const ALL: &str = "all";

/// A policy, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice(Option<Policy>);

/// Knows the policies' names.
pub fn parser() -> impl TypedValueParser<Value = Choice> {
    let policies = Policy::ALL.into_iter().chain(Policy::asked());
    let names: Vec<&str> = policies.map(Policy::name).chain([ALL]).collect();
    PossibleValuesParser::new(names).map(|name| Choice(Policy::named(&name)))
}

pub fn help() -> String {
    let line = |policy: Policy| format!("  {:15}{}\n", policy.name(), policy.meaning());
    let lines: String = Policy::ALL.into_iter().map(line).collect();
    let asked: String = Policy::asked().map(line).collect();
    format!(
        "Policies to simulate, or 'all' of the first list; the first is what the others are \
         compared with\n\n{lines}\nThose of 'scx_rlalps --policy' and 'scx_alps --policy', with \
         the key and the K that they have there:\n\n{asked}"
    )
}

/// The policies chosen, each once, in the order chosen.
pub fn policies(choices: &[Choice]) -> Vec<Policy> {
    let mut policies = Vec::new();
    for Choice(choice) in choices {
        let chosen = choice.as_slice();
        let chosen = if chosen.is_empty() {
            &Policy::ALL
        } else {
            chosen
        };
        for policy in chosen {
            if !policies.contains(policy) {
                policies.push(*policy);
            }
        }
    }
    policies
}

/// A function's weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    pub function: String,
    pub weight: u32,
}

/// Reads `FUNCTION=WEIGHT`, with the kernel's bounds on cpu.weight.
pub fn weight(text: &str) -> Result<Weight, String> {
    let (function, weight) = text
        .rsplit_once('=')
        .ok_or("write FUNCTION=WEIGHT, such as resize=200")?;
    let weight = weight.parse().ok().filter(|w| (1..=10_000).contains(w));
    Ok(Weight {
        function: function.to_owned(),
        weight: weight.ok_or("a weight is a whole number from 1 to 10000")?,
    })
}

/// What a switch may cost: more than a second is a mistake.
pub fn switch_cost(text: &str) -> Result<Duration, String> {
    let cost = duration(text)?;
    if cost > Duration::from_secs(1) {
        return Err("it must be at most 1s".to_owned());
    }
    Ok(cost)
}

/// Reads `FROM..TO`.
pub fn span(text: &str) -> Result<Span, String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("write FROM..TO, such as 1s..1500ms")?;
    let ns = |text: &str| -> Result<u64, String> {
        let value: Duration = if text == "0" {
            Duration::ZERO
        } else {
            duration(text)?
        };
        u64::try_from(value.as_nanos()).map_err(|_| "no trace lasts as long as that".to_owned())
    };
    Span::new(ns(from)?, ns(to)?).ok_or_else(|| "FROM must be before TO".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_every_policy_once() {
        let fifo = Choice(Some(Policy::Fifo));
        let all = policies(&[fifo, Choice(None), fifo]);
        assert_eq!(all.len(), Policy::ALL.len());
        assert_eq!(all[0], Policy::Fifo);
    }

    #[test]
    fn weights_and_spans_are_read() {
        let expected = Weight {
            function: "a=b".into(),
            weight: 200,
        };
        assert_eq!(weight("a=b=200"), Ok(expected));
        assert_eq!(
            span("1s..1500ms").ok(),
            Span::new(1_000_000_000, 1_500_000_000)
        );
        assert_eq!(span("0..1s").ok(), Span::new(0, 1_000_000_000));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a", "a=", "a=0", "a=10001", "a=-1", "a=NaN"] {
            assert!(weight(text).is_err(), "{text}");
        }
        for text in [
            "", "1s", "1s..", "2s..1s", "1s..1s", "-1s..1s", "1..2", "NaN..1s",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
        assert!(span("0..99999999999999y").is_err());
    }
}
