// SPDX-License-Identifier: GPL-2.0-only
//! Answers as a benchmark's outcomes, and what is doubtful about them.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, anyhow};
use scx_alps::report::{Contender, Distribution, Outcome, Round};

use super::calls::Calls;
use super::client::Sent;

const NS_PER_MS: f64 = 1e6;

/// A client later than this on average does not offer the load it should.
const TOLERABLE_LATENESS_MS: f64 = 1.0;

/// The requests that were served. `None` for those that were not.
pub fn of(calls: &Calls, sent: &Sent) -> Vec<Option<Outcome>> {
    let since_start = |ns: u64| ns.saturating_sub(sent.start_ns);
    let alone = Alone::of(calls, sent);
    let pairs = calls.calls.iter().zip(&sent.answers);
    pairs
        .map(|(call, answer)| {
            let end_ns = since_start(answer.end_ns);
            let ran_ns = answer.timing.run_ns;
            // A server that does not say when the function began may have
            // begun it at once.
            let first_run_ns = match ran_ns {
                Some(ran_ns) => end_ns.saturating_sub(ran_ns),
                None => since_start(answer.woken_ns),
            };
            answer.is_success().then(|| Outcome {
                function: call.target,
                arrival_ns: call.arrival_ns,
                first_run_ns: first_run_ns.max(call.arrival_ns),
                end_ns,
                cpu_requested_ns: call.cpu_ns.unwrap_or_else(|| alone.ns(call.target, call.n)),
                cpu_used_ns: answer.timing.cpu_ns.unwrap_or(0),
                pause_ns: 0,
                switches: answer.timing.switches.unwrap_or(0),
            })
        })
        .collect()
}

/// The shortest response to each function with each argument: what comes
/// closest to one on an idle machine where nobody knows the CPU time.
struct Alone(HashMap<(u32, u64), u64>);

impl Alone {
    fn of(calls: &Calls, sent: &Sent) -> Self {
        let mut shortest = HashMap::new();
        for (call, answer) in calls.calls.iter().zip(&sent.answers) {
            if answer.is_success() {
                let response_ns = answer.end_ns.saturating_sub(answer.woken_ns);
                shortest
                    .entry((call.target, call.n))
                    .and_modify(|ns: &mut u64| *ns = response_ns.min(*ns))
                    .or_insert(response_ns);
            }
        }
        Self(shortest)
    }

    fn ns(&self, target: u32, n: u64) -> u64 {
        self.0.get(&(target, n)).copied().unwrap_or(0)
    }
}

/// The round in which `calls` were sent. Its start is that of its trace, on
/// the monotonic clock.
///
/// # Errors
/// When nothing was sent at all.
pub fn round(
    setting: usize,
    contender: Contender,
    seed: u64,
    calls: &Calls,
    sent: &Sent,
) -> Result<Round> {
    let outcomes: Vec<Outcome> = of(calls, sent).into_iter().flatten().collect();
    let lateness = calls.calls.iter().zip(&sent.answers).map(|(call, answer)| {
        let due_ns = sent.start_ns + call.arrival_ns;
        answer.woken_ns.saturating_sub(due_ns) as f64 / NS_PER_MS
    });
    let lateness = Distribution::of(lateness.collect());
    let lateness = lateness.ok_or_else(|| anyhow!("no request was sent"))?;
    let unserved = calls.calls.len() - outcomes.len();
    Ok(Round {
        start_ns: Some(sent.start_ns),
        lateness_ms: Some(lateness),
        unserved,
        doubts: doubts(sent, lateness.mean),
        ..Round::new(setting, contender, seed, outcomes)
    })
}

fn doubts(sent: &Sent, lateness_ms: f64) -> Vec<String> {
    let mut doubts = Vec::new();
    if lateness_ms > TOLERABLE_LATENESS_MS {
        doubts.push(format!(
            "the client could not keep up: it was {lateness_ms:.2} ms late on average, and \
             {TOLERABLE_LATENESS_MS} ms can be tolerated"
        ));
    }
    let mut errors: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for answer in &sent.answers {
        if let Some(error) = &answer.error {
            // By the status or by the first words.
            let kind = error.split(':').next().unwrap_or("");
            errors.entry(kind).or_insert((0, error)).0 += 1;
        }
    }
    doubts.extend(errors.values().map(|(count, first)| {
        format!("{count} requests failed and do not count, the first with: {first}")
    }));
    doubts
}

#[cfg(test)]
mod tests {
    use super::super::answer::{Answer, Timing};
    use super::super::calls::Call;
    use super::*;

    fn call(arrival_ns: u64, n: u64) -> Call {
        Call {
            arrival_ns,
            target: 0,
            id: 1,
            n,
            cpu_ns: None,
        }
    }

    fn answer(woken_ns: u64, end_ns: u64, status: u16) -> Answer {
        Answer {
            woken_ns,
            end_ns,
            status: Some(status),
            error: (status != 200).then(|| format!("{status} Too Many: {{}}")),
            timing: Timing::default(),
        }
    }

    #[test]
    fn a_response_counts_from_when_it_was_due() {
        let calls = Calls {
            targets: Vec::new(),
            calls: vec![call(0, 1), call(10, 1), call(20, 1)],
            duration_ns: 30,
        };
        let sent = Sent {
            start_ns: 100,
            answers: vec![
                answer(100, 105, 200),
                answer(150, 160, 200),
                answer(120, 130, 429),
            ],
            is_real_time: true,
        };
        let outcomes = of(&calls, &sent);
        assert_eq!(outcomes[2], None);
        let late = outcomes[1].unwrap();
        // Sent 40 late, answered within 10; the other took 5.
        assert_eq!((late.response_ns(), late.cpu_requested_ns), (50, 5));
        let round = round(0, Contender::new("x"), 1, &calls, &sent).unwrap();
        assert_eq!(round.unserved, 1);
        assert!(
            round.doubts[0].starts_with("1 requests failed"),
            "{:?}",
            round.doubts
        );
    }
}
